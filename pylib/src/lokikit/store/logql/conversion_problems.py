"""Why a text is no duration or size, in the words of Go's libraries."""

from __future__ import annotations

import re

_PART = re.compile(r"([0-9]*)(\.?)([0-9]*)([^0-9.]*)")
_UNITS = {"ns", "us", "µs", "μs", "ms", "s", "m", "h"}
_SIZE = re.compile(r"([0-9.,]*)(.*)", re.DOTALL)


def duration_problem(text: str) -> str:
    """The words of `time.ParseDuration` for a text that is no duration."""
    rest = text[1:] if text[:1] in {"-", "+"} else text
    while rest:
        match = _PART.match(rest)
        if match is None or not (match[1] or match[3]):
            break
        unit = match[4]
        if not unit:
            return f"time: missing unit in duration {quote_go(text)}"
        if unit not in _UNITS:
            return f"time: unknown unit {quote_go(unit)} in duration {quote_go(text)}"
        rest = rest[match.end() :]
    return f"time: invalid duration {quote_go(text)}"


def size_problem(text: str) -> str:
    """The words of `go-humanize` for a text that is no size."""
    match = _SIZE.fullmatch(text)
    digits, unit = (match[1].replace(",", ""), match[2]) if match else ("", text)
    try:
        float(digits)
    except ValueError:
        return f'strconv.ParseFloat: parsing "{digits}": invalid syntax'
    return f"unhandled size name: {unit.strip().lower()}"


def quote_go(text: str) -> str:
    r"""The text in quotes; bytes outside of printable ASCII as `\x` and two digits."""
    parts = []
    for char in text:
        if char in {'"', "\\"}:
            parts.append("\\" + char)
        elif " " <= char < "\x7f":
            parts.append(char)
        else:
            parts.append("".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "replace")))
    return f'"{"".join(parts)}"'
