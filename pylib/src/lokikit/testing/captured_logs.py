"""Lines of the contract captured in this process, and assertions about them."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lokikit.delivery.entry import json_object
from lokikit.fields import CALLER, LEVEL, MESSAGE
from lokikit.output.json_formatter import JsonFormatter
from lokikit.output.stdout_handler import StdoutHandler, is_ours

Line = dict[str, Any]

_NEAREST = 3
_ALIKE_AT_MOST = 0.9
"""Largest score of two texts that differ."""


class CapturingHandler(logging.Handler):
    """Keeps each record as the line that the service would write."""

    captures_our_lines = True
    """See `lokikit.output.stdout_handler.gets_our_lines`."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []
        self._own = JsonFormatter()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record."""
        # Not its own `render`: on a terminal the service writes text for a person.
        line = JsonFormatter.render(self._formatter(), record)
        self.lines.append(dict(json_object(line.decode())))

    def _formatter(self) -> JsonFormatter:
        """The formatter of the service if it is set up, as it knows the name of the service."""
        for handler in logging.getLogger().handlers:
            if isinstance(handler, StdoutHandler) and isinstance(handler.formatter, JsonFormatter):
                return handler.formatter
        return self._own


class Logged:
    """The lines logged so far, in the form of the contract.

    Lines are selected by fields: a value must equal the value in the line, a compiled regular
    expression must be found in it.
    """

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    def find(self, **fields: Any) -> list[Line]:
        """Return the lines with these fields; all lines without fields."""
        return [line for line in self.lines if not _differences(line, fields)]

    def one(self, **fields: Any) -> Line:
        """Return the only line with these fields.

        Raises:
            AssertionError: no line or several lines have them; shows the nearest lines.
        """
        __tracebackhide__ = True
        found = self.find(**fields)
        if not found:
            raise AssertionError(
                f"no line with {_wanted_fields(fields)}{_nearest(self.lines, fields)}"
            )
        if len(found) > 1:
            listed = "".join(f"\n  {_summary(line)}" for line in found)
            raise AssertionError(f"{_count(found)} with {_wanted_fields(fields)}, not one:{listed}")
        return found[0]

    def none(self, **fields: Any) -> None:
        """Return when no line has these fields.

        Raises:
            AssertionError: lines have them; shows these.
        """
        __tracebackhide__ = True
        if found := self.find(**fields):
            listed = "".join(f"\n  {_summary(line)}" for line in found)
            raise AssertionError(
                f"{_count(found)} with {_wanted_fields(fields)}, not none:{listed}"
            )

    def clear(self) -> None:
        """Forget the lines so far."""
        self.lines.clear()


@contextmanager
def open_root_level() -> Iterator[None]:
    """Let all levels through where logging is not set up, whose default is WARNING.

    A level that the service sets meanwhile stays, because it sets it once for all tests.
    """
    root = logging.getLogger()
    level = root.level
    opened = level == logging.WARNING and not any(map(is_ours, root.handlers))
    if opened:
        root.setLevel(logging.DEBUG)
    yield
    if opened and root.level == logging.DEBUG:
        root.setLevel(level)


def _differences(line: Line, fields: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that differ in the line."""
    return [name for name, wanted in fields.items() if not _is(line.get(name), wanted)]


def _is(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, re.Pattern):
        return isinstance(found, str) and wanted.search(found) is not None
    return bool(found == wanted)


def _nearest(lines: Sequence[Line], fields: Mapping[str, Any]) -> str:
    if not lines:
        return ": nothing was logged"
    nearest = sorted(lines, key=lambda line: -_likeness(line, fields))[:_NEAREST]
    texts = [f"; the nearest of {len(lines)}:"]
    for line in nearest:
        texts.append(f"  {_summary(line)}")
        for name in _differences(line, fields):
            have = repr(line[name]) if name in line else "absent"
            texts.append(f"      {name}: {have}, wanted {_wanted(fields[name])}")
    return "\n".join(texts)


def _likeness(line: Line, fields: Mapping[str, Any]) -> float:
    return sum(_alike(line.get(name), wanted) for name, wanted in fields.items())


def _alike(found: Any, wanted: Any) -> float:
    if _is(found, wanted):
        return 1
    if found is None:
        return 0
    text = wanted.pattern if isinstance(wanted, re.Pattern) else wanted
    return difflib.SequenceMatcher(None, str(found), str(text)).ratio() * _ALIKE_AT_MOST


def _count(lines: Sequence[Line]) -> str:
    return "1 line" if len(lines) == 1 else f"{len(lines)} lines"


def _summary(line: Line) -> str:
    return f"{line.get(LEVEL)} {line.get(MESSAGE)!r} at {line.get(CALLER)}"


def _wanted_fields(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={_wanted(value)}" for name, value in fields.items()) or "anything"


def _wanted(value: Any) -> str:
    return f"/{value.pattern}/" if isinstance(value, re.Pattern) else repr(value)
