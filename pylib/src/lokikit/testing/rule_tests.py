"""Runs the tests of alert rules on lines in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.monitoring.rule_annotations import fill_annotation
from lokikit.monitoring.rule_states import Instance, RuleStates
from lokikit.testing.rule_answers import MemoryAnswers
from lokikit.testing.rule_cases import Case, Expectation, TestFile, read_test_file
from lokikit.testing.rule_lines import case_rows
from lokikit.testing.rule_report import describe

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Rule

_PRECISION = 1e-9
"""Relative tolerance of values: a file has fewer digits than Loki computes."""


@dataclass(frozen=True)
class Result:
    """The result of a test, with a text for each expectation that is not met."""

    path: Path
    name: str
    failures: tuple[str, ...]


def check(*paths: str | Path) -> None:
    """Fail with a report unless each test of the files passes; for a test of pytest.

    Raises:
        AssertionError: an expectation is not met.
        SettingsError: a file is wrong.
    """
    failed = [
        f"{result.path}: {result.name}\n{failure}"
        for result in run_rule_tests(map(Path, paths))
        for failure in result.failures
    ]
    if failed:
        raise AssertionError("\n".join(failed))


def run_rule_tests(paths: Iterable[Path]) -> Iterator[Result]:
    """Return the result of each test of the files; all files are read before the first test.

    Raises:
        SettingsError: a file is wrong.
    """
    files = [read_test_file(path) for path in paths]
    return (
        Result(file.path, case.name, tuple(_failures(file, case)))
        for file in files
        for case in file.cases
    )


def _failures(file: TestFile, case: Case) -> Iterator[str]:
    answers = MemoryAnswers(case_rows(case, file.start_ns))
    named = {expected.rule.uid: expected.rule for expected in case.expectations}
    for uid, rule in named.items():
        expectations = [
            expectation for expectation in case.expectations if expectation.rule.uid == uid
        ]
        yield from _failures_of_rule(file, rule, expectations, answers)


def _failures_of_rule(
    file: TestFile, rule: Rule, expectations: list[Expectation], answers: MemoryAnswers
) -> Iterator[str]:
    """Evaluate a rule up to the last expectation, and compare on the way."""
    waiting = sorted(expectations, key=lambda expectation: expectation.at_ns)
    interval_ns = file.interval_ns or rule.interval_ns
    count = waiting[-1].at_ns // interval_ns + 1
    times_ns = [file.start_ns + number * interval_ns for number in range(count)]
    states = RuleStates(rule)
    for time_ns, outcome in zip(times_ns, answers.outcomes(rule, times_ns), strict=True):
        states.update(time_ns, outcome)
        while waiting and file.start_ns + waiting[0].at_ns < time_ns + interval_ns:
            expected = waiting.pop(0)
            if not _is_met(expected, states):
                yield describe(expected, states, file.start_ns)


def _is_met(expected: Expectation, states: RuleStates) -> bool:
    if expected.state == "error" and states.last_error:
        return True
    labels, rule = expected.labels.items(), expected.rule
    matching = [one for one in states.instances if labels <= one.alert_labels(rule).items()]
    if expected.state == "inactive" and expected.value is None and expected.count is None:
        return all(instance.state == "inactive" for instance in matching)
    met = [
        instance
        for instance in matching
        if _has_state(instance, expected) and _has_rest(instance, expected)
    ]
    return len(met) == expected.count if expected.count is not None else bool(met)


def _has_state(instance: Instance, expected: Expectation) -> bool:
    if expected.state == "resolved":
        return instance.state == "inactive" and instance.has_fired
    return instance.state == expected.state


def _has_rest(instance: Instance, expected: Expectation) -> bool:
    if expected.value is not None and not _is_close(instance.value, expected.value):
        return False
    labels = instance.alert_labels(expected.rule)
    return all(
        fill_annotation(expected.rule.annotations.get(name, ""), labels, instance.value) == text
        for name, text in expected.annotations.items()
    )


def _is_close(value: float | None, wanted: float) -> bool:
    return value is not None and isclose(value, wanted, rel_tol=_PRECISION)
