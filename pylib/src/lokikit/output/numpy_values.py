"""Times of numpy as ISO 8601 text, whatever their unit."""

from __future__ import annotations

import re
from typing import Any

_UNIT = re.compile(r"\[(\d*)(\w+)\]")
_DATE_UNITS = {"Y": "Y", "M": "M", "W": "W", "D": "D"}
_TIME_UNITS = {"h": "H", "m": "M"}
_SECOND_DIGITS = {"s": 0, "ms": 3, "us": 6, "μs": 6, "ns": 9, "ps": 12, "fs": 15, "as": 18}
_DURATION_KIND = "m"


def iso_text(value: Any) -> str | None:
    """Return ISO 8601 of a `datetime64` or `timedelta64`; `None` for "not a time".

    `numpy.timedelta64(90, "s")` becomes `PT90S`: its unit is kept, because months differ in length.
    """
    if value != value:  # noqa: PLR0124 - only NaT differs from itself
        return None
    if value.dtype.kind != _DURATION_KIND:
        return str(value)
    unit = _UNIT.search(value.dtype.str)
    number = int(value.astype("int64"))
    return _duration(number * int(unit[1] or 1), unit[2]) if unit else str(number)


def _duration(number: int, unit: str) -> str:
    sign, count = "-" if number < 0 else "", abs(number)
    if unit in _DATE_UNITS:
        return f"{sign}P{count}{_DATE_UNITS[unit]}"
    if unit in _TIME_UNITS:
        return f"{sign}PT{count}{_TIME_UNITS[unit]}"
    digits = _SECOND_DIGITS[unit]
    whole, rest = divmod(count, 10**digits)
    fraction = f".{rest:0{digits}d}".rstrip("0") if rest else ""
    return f"{sign}PT{whole}{fraction}S"
