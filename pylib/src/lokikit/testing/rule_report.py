"""The report of an expectation that is not met: wanted and found, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lokikit.monitoring.rule_annotations import fill_annotation
from lokikit.store.logql.quoting import format_labels
from lokikit.store.logql.units import format_range

if TYPE_CHECKING:
    from lokikit.monitoring.rule_states import Instance, RuleStates
    from lokikit.testing.rule_cases import Expectation


def describe(expected: Expectation, states: RuleStates, start_ns: int) -> str:
    """Return the lines of a report about an expectation: each series with state and value."""
    rule = expected.rule
    lines = [
        (
            f"  line {expected.line}: at {format_range(expected.at_ns)}, "
            f"rule {rule.title!r} (a breach is {rule.limit})"
        ),
        f"    expected  {_wanted(expected)}",
    ]
    series = [" ".join(_parts(one, expected, start_ns)) for one in states.instances]
    for number, text in enumerate(series or ["no series"]):
        lines.append(f"    {'got' if number == 0 else '':8}  {text}")
    if states.last_error:
        lines.append(f"    the query failed: {states.last_error}")
    return "\n".join(lines)


def _wanted(expected: Expectation) -> str:
    parts = [f"{expected.state:10}", format_labels(expected.labels)]
    if expected.value is not None:
        parts.append(f"value {expected.value:.15g}")
    if expected.count is not None:
        parts.append(f"of {expected.count} series")
    parts += [f"{name} {text!r}" for name, text in expected.annotations.items()]
    return " ".join(parts)


def _parts(instance: Instance, expected: Expectation, start_ns: int) -> Iterator[str]:
    is_resolved = instance.state == "inactive" and instance.has_fired
    yield f"{'resolved' if is_resolved else instance.state:10}"
    yield format_labels({**instance.labels, **instance.own_labels})
    yield "no value" if instance.value is None else f"value {instance.value:.15g}"
    if instance.state != "inactive":
        yield f"since {format_range(instance.since_ns - start_ns)}"
    if instance.reason:
        yield f"({instance.reason})"
    labels = instance.alert_labels(expected.rule)
    for name in expected.annotations:
        template = expected.rule.annotations.get(name, "")
        yield f"{name} {fill_annotation(template, labels, instance.value)!r}"
