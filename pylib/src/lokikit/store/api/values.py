"""Numbers as Loki writes them into its answers."""

from __future__ import annotations

import math
from decimal import Decimal

from lokikit.times import NS_PER_MS

_MS_PER_S = 1000
_EXACT = 1e15


def write_value(value: float) -> str:
    """The shortest decimal that reads back as `value`, without an exponent; `+Inf`, `NaN`."""
    if value.is_integer() and abs(value) < _EXACT:
        return "-0" if not value and math.copysign(1, value) < 0 else str(int(value))
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        text = format(Decimal(text), "f")
    return text.removesuffix(".0")


def write_seconds(time_ns: int) -> int | float:
    """Seconds since 1970, to the millisecond."""
    milliseconds = time_ns // NS_PER_MS
    if milliseconds % _MS_PER_S == 0:
        return milliseconds // _MS_PER_S
    return milliseconds / _MS_PER_S
