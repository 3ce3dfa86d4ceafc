"""Text without characters that control a terminal."""

from __future__ import annotations

import json
import re
from typing import Any

_CONTROL = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")
"""C0 except tab and line feed, DEL, C1, and surrogates, which no output can encode."""

_LINE_ENDS = {"\n": r"\n", "\u2028": r"\u2028", "\u2029": r"\u2029"}
_LINE_END = re.compile("[\n\u2028\u2029]")
_WORD = re.compile(r"[^\s\"=]+")


def escape_controls(text: str) -> str:
    r"""Replace each control character by its escape, as `\x1b`; tabs and line feeds stay."""
    return _CONTROL.sub(_escape, text)


def escape_to_one_line(text: str) -> str:
    r"""Replace line ends and separators too, as `\n`, so that a name cannot begin a line."""
    return _LINE_END.sub(lambda match: _LINE_ENDS[match[0]], escape_controls(text))


def word_or_json(value: Any) -> str:
    """Return a word as it is and any other value as JSON, so that it forges no line or pair."""
    is_word = isinstance(value, str) and _WORD.fullmatch(value)
    return escape_to_one_line(value if is_word else json.dumps(value, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - two digits
