"""Numbers out of label values, as `unwrap` converts them."""

from __future__ import annotations

import re
from collections.abc import Callable

from lokikit.store.logql.conversion_problems import duration_problem, size_problem
from lokikit.store.logql.quoting import quote
from lokikit.store.logql.units import parse_bytes, parse_duration_ns
from lokikit.times import NS_PER_S

_DECIMAL = re.compile(
    r"[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:e[-+]?\d[\d_]*)?", re.ASCII | re.IGNORECASE
)
_HEXADECIMAL = re.compile(
    r"([-+]?)0x(_?[0-9a-f][0-9a-f_]*\.?[0-9a-f_]*|\.[0-9a-f][0-9a-f_]*)p([-+]?\d+)",
    re.ASCII | re.IGNORECASE,
)
_SPECIAL = re.compile(r"nan|[-+]?inf(?:inity)?", re.IGNORECASE)


def parse_number(text: str) -> float:
    """The float of a text that Go's `strconv.ParseFloat` accepts.

    Raises:
        ValueError: the text is no number, or too large; worded as Go words it.
    """
    if _DECIMAL.fullmatch(text) and _well_spaced(text):
        value = float(text.replace("_", ""))
        if value in (float("inf"), float("-inf")):
            raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
        return value
    if _SPECIAL.fullmatch(text):
        return float(text)
    if _HEXADECIMAL.fullmatch(text) and _well_spaced(text):
        return float.fromhex(text.replace("_", ""))
    raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax")


def _well_spaced(text: str) -> bool:
    """True when each underscore stands between two digits, or behind `0x`."""
    return "_" not in text or not re.search(r"__|_(?![0-9a-fA-F])|(?<![0-9a-fA-FxX])_", text)


def duration_ns(text: str) -> int:
    """The nanoseconds of a Go duration.

    Raises:
        ValueError: the text is no duration; worded as Go words it.
    """
    try:
        return parse_duration_ns(text)
    except ValueError:
        raise ValueError(duration_problem(text)) from None


def duration_seconds(text: str) -> float:
    """As `duration_ns` in seconds; whole and fraction are added as Go's `Seconds` does."""
    total_ns = duration_ns(text)
    whole, rest_ns = divmod(abs(total_ns), NS_PER_S)
    seconds = whole + rest_ns / 1e9
    return -seconds if total_ns < 0 else seconds


def size_bytes(text: str) -> int:
    """The bytes of a size as `20MB` or `1.5 KiB`.

    Raises:
        ValueError: the text is no size; worded as the library of Loki words it.
    """
    try:
        return parse_bytes(text)
    except ValueError:
        raise ValueError(size_problem(text)) from None


CONVERSIONS: dict[str, Callable[[str], float]] = {
    "": parse_number,
    "duration": duration_seconds,
    "duration_seconds": duration_seconds,
    "bytes": lambda text: float(size_bytes(text)),
}
"""By the function around the label of `unwrap`."""
