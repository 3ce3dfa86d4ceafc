"""The lines of a rule test as stored rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.fields import LEVEL, LOGGER, MESSAGE, TIMESTAMP
from lokikit.store.rows import Row
from lokikit.times import format_time

if TYPE_CHECKING:
    from lokikit.testing.rule_cases import Case

NUMBER = "$n"
"""Placeholder, in texts and values of a repeated line, for its number from 1."""
_DEFAULTS = {LEVEL: "info", LOGGER: "app", MESSAGE: "done"}


def case_rows(case: Case, start_ns: int) -> Iterator[Row]:
    """Return the rows of a test, in any order, without the level that the store detects."""
    for lines in case.lines:
        for number in range(lines.times):
            time_ns = start_ns + lines.at_ns + number * lines.every_ns
            line = _line(lines.line, time_ns, number + 1)
            yield Row(time_ns, lines.labels, lines.metadata, line)


def _line(held: Mapping[str, Any] | str, time_ns: int, number: int) -> str:
    """Return the text of a line; fields become a line of the contract with all required fields."""
    if isinstance(held, str):
        return held.replace(NUMBER, str(number))
    filled = {
        key: value.replace(NUMBER, str(number)) if isinstance(value, str) else value
        for key, value in {**_DEFAULTS, **held}.items()
    }
    return orjson.dumps({TIMESTAMP: format_time(time_ns), **filled}).decode()
