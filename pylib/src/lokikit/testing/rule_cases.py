"""The file of a rule test: lines with times, and the states that they cause.

The form is that of `promtool test rules`, with lines in place of series:
https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lokikit.errors import SettingsError
from lokikit.monitoring.rule_files import read_rule_file
from lokikit.testing.located_yaml import load_located
from lokikit.testing.rule_fields import Fields, Problems

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Rule

STATES = ("inactive", "pending", "firing", "recovering", "resolved", "nodata", "error")
DEFAULT_START = "2026-01-01T00:00:00Z"
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MAX_TIMES = 1_000_000
_MAX_EVALUATIONS = 100_000
"""Of one rule: 69 days in steps of a minute. With more, a typing mistake would run for hours."""


@dataclass(frozen=True)
class Lines:
    """Lines of a stream at equal distances.

    Args:
        at_ns: time of the first line, from the start of the test; before it when negative.
        every_ns: time between two lines.
        times: number of lines.
        labels: labels of the stream.
        line: fields of a line of the contract, or the text itself.
        metadata: structured metadata.
    """

    at_ns: int
    every_ns: int
    times: int
    labels: Mapping[str, str]
    line: Mapping[str, Any] | str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Expectation:
    """The expected state of a rule at a time.

    Args:
        at_ns: time from the start of the test.
        rule: the rule.
        state: a state of `STATES`.
        labels: labels that the alert must have; it may have others.
        value: value of its series; `None` for any value.
        count: number of series in that state; `None` for any number above 0.
        annotations: name -> text, with the template filled in.
        line: line of the file.
    """

    at_ns: int
    rule: Rule
    state: str
    labels: Mapping[str, str]
    value: float | None
    count: int | None
    annotations: Mapping[str, str]
    line: int


@dataclass(frozen=True)
class Case:
    """A test of a file."""

    name: str
    lines: tuple[Lines, ...]
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True)
class TestFile:
    """A file of rule tests.

    Args:
        path: its path.
        start_ns: time of the first evaluation, in nanoseconds since 1970.
        interval_ns: time between two evaluations, `None` for the interval of each rule's group.
        rules: all rules of the files that it names.
        cases: its tests.
    """

    path: Path
    start_ns: int
    interval_ns: int | None
    rules: tuple[Rule, ...]
    cases: tuple[Case, ...]


def read_test_file(path: Path) -> TestFile:
    """Return the tests of a file.

    Raises:
        SettingsError: the file, or a file that it names, is wrong; the text has a line for each
            problem.
    """
    problems = Problems(path)
    held = problems.mapping(_load(path), "the file")
    rules = _rules(held, path)
    interval_ns = held.duration_ns("evaluation_interval", None)
    if interval_ns == 0:
        held.problem("evaluation_interval", "a rule cannot be evaluated every 0s")
    found = TestFile(
        path,
        held.time_ns("start", DEFAULT_START),
        interval_ns,
        tuple(rules),
        tuple(_cases(held, rules, interval_ns)),
    )
    held.end()
    problems.raise_any()
    return found


def _load(path: Path) -> Any:
    try:
        return load_located(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is no text in UTF-8: {error.reason}.") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is no YAML: {' '.join(str(error).split())}.") from error


def _rules(held: Fields, path: Path) -> list[Rule]:
    rules: list[Rule] = []
    for name in held.texts("rules"):
        files = sorted(path.parent.glob(name)) if "*" in name else [path.parent / name]
        if not files:
            held.problem("rules", f"no file matches {name!r}")
        for file in files:
            rules += _rules_of(file, held)
    return rules


def _rules_of(file: Path, held: Fields) -> list[Rule]:
    try:
        return read_rule_file(file)
    except SettingsError as error:
        held.problem("rules", str(error).removesuffix("."))
        return []


def _cases(held: Fields, rules: list[Rule], interval_ns: int | None) -> Iterator[Case]:
    for each in held.mappings("tests", required=True):
        yield Case(
            each.text("name", required=True),
            tuple(_lines(lines) for lines in each.mappings("lines")),
            tuple(
                _expectation(expectation, rules, interval_ns)
                for expectation in each.mappings("expect", required=True)
            ),
        )
        each.end()


def _lines(held: Fields) -> Lines:
    found = Lines(
        held.duration_ns("at", 0, may_be_negative=True) or 0,
        held.duration_ns("every", 0) or 0,
        held.whole("times", 1) or 0,
        held.labels("labels"),
        held.line(),
        held.labels("metadata"),
    )
    if not found.labels:
        held.problem("labels", "a stream needs at least one label")
    for name in found.labels:
        if not _LABEL_NAME.fullmatch(name):
            held.problem("labels", f"{name!r} is no name of a label")
    if found.times > _MAX_TIMES:
        held.problem("times", f"at most {_MAX_TIMES} lines are repeated")
    if found.times > 1 and not found.every_ns:
        held.problem("times", "repeated lines need `every`, the time between two of them")
    held.end()
    return found


def _expectation(held: Fields, rules: list[Rule], interval_ns: int | None) -> Expectation:
    found = Expectation(
        held.duration_ns("at", None, required=True) or 0,
        held.rule("rule", rules),
        held.word("state", STATES),
        held.labels("labels"),
        held.number("value"),
        held.whole("count", None),
        held.labels("annotations"),
        held.line_number,
    )
    each_ns = interval_ns or found.rule.interval_ns
    if each_ns and found.at_ns // each_ns > _MAX_EVALUATIONS:
        held.problem("at", f"the rule would be evaluated more than {_MAX_EVALUATIONS} times")
    held.end()
    return found
