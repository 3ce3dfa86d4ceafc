"""`ConsoleFormatter`: the contract's fields as text for a person at a terminal."""

from __future__ import annotations

import logging
import time
from typing import Any

import orjson

from lokikit import fields as f
from lokikit.output.json_formatter import JsonFormatter
from lokikit.output.terminal_text import escape_controls, escape_to_one_line, word_or_json

_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
"""SGR parameters (ECMA-48, section 8.3.117)."""
_SHOWN_APART = frozenset(f.LINE_FIELDS)


class ConsoleFormatter(JsonFormatter):
    """Formats a record as readable text: time, level, logger, message, `key=value`, traceback.

    Control characters are escaped, so that no log line can control the terminal. Takes the
    arguments of `JsonFormatter`, and:

    Args:
        colour: True colours the level and dims less important fields.
    """

    def __init__(self, *args: Any, colour: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._colour = colour

    def render(self, record: logging.LogRecord) -> bytes:
        """Return the text as UTF-8, with several lines for a traceback."""
        line = orjson.loads(super().render(record))
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = line[f.LEVEL]
        head = [
            self._paint("2", f"{clock}.{int(record.msecs):03d}"),
            self._paint(_COLOURS[level], f"{level:<8}"),
            self._paint("36", escape_to_one_line(line[f.LOGGER])),
            escape_controls(line[f.MESSAGE]),
            *(
                self._paint("2", f"{escape_to_one_line(name)}=") + word_or_json(value)
                for name, value in line.items()
                if name not in _SHOWN_APART or name in f.CALLER_SETTABLE
            ),
        ]
        below = (
            escape_controls(line[name]).rstrip() for name in (f.STACKTRACE, f.STACK) if name in line
        )
        return "\n".join([" ".join(head), *below]).encode()

    def _paint(self, sgr: str, string: str) -> str:
        return f"\x1b[{sgr}m{string}\x1b[0m" if self._colour else string
