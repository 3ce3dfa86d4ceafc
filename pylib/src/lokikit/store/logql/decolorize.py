"""Removal of ANSI escape sequences."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(
    "[\x1b\x9b][\\[\\]()#;?]*"
    "(?:(?:(?:[a-zA-Z0-9]*(?:;[a-zA-Z0-9]*)*)?\x07)"
    "|(?:(?:[0-9]{1,4}(?:;[0-9]{0,4})*)?[0-9A-PRZcf-ntqry=><~]))"
)


def decolorize(line: str) -> str:
    """The line without color codes."""
    if "\x1b" in line or "\x9b" in line:
        return _SEQUENCE.sub("", line)
    return line
