"""Arithmetic of templates: texts count as numbers, other texts as 0."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Any

from lokikit.store.logql.templates.constants import MAX_INTEGER
from lokikit.store.logql.templates.values import Int64, TemplateProblem, format_float
from lokikit.store.logql.unwrapping import parse_number

_DECIMAL = re.compile(r"([+-]?[0-9]*)\.[0-9]*")
_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]*|0[bB][01_]+|[1-9][0-9_]*)")
_BITS = 64
_EXACT = Context(prec=1000)
_QUOTIENT_STEP = Decimal(1).scaleb(-16)


def wrap(value: int) -> Int64:
    """The value in 64 bits, overflow included."""
    value &= (1 << _BITS) - 1
    return Int64(value - (1 << _BITS) if value > MAX_INTEGER else value)


def to_int(value: Any) -> int:
    """A value as an integer; 0 for other values."""
    if isinstance(value, str):
        return _parse_int(value)
    if isinstance(value, float):
        return (
            int(value) if math.isfinite(value) and abs(value) <= MAX_INTEGER else -MAX_INTEGER - 1
        )
    return int(value) if isinstance(value, int) else 0


def _parse_int(text: str) -> int:
    decimal = _DECIMAL.fullmatch(text)
    text = decimal[1] if decimal else text
    if not _INTEGER.fullmatch(text) or "__" in text or text[-1] == "_":
        return 0
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-").replace("_", "")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()
    if digits[0] != "0" and len(digits) > _BITS:
        return 0
    value = sign * int(digits, 8 if octal else 0)
    return value if -MAX_INTEGER - 1 <= value <= MAX_INTEGER else 0


def to_float(value: Any) -> float:
    """A value as a float; 0 for other values."""
    if isinstance(value, str):
        try:
            return parse_number(value)
        except ValueError:
            return 0.0
    return float(value) if isinstance(value, (int, float)) else 0.0


def add(*values: Any) -> Int64:
    """The sum of integers."""
    return wrap(sum(map(to_int, values)))


def sub(a: Any, b: Any) -> Int64:
    """The difference of two integers."""
    return wrap(to_int(a) - to_int(b))


def mul(first: Any, *others: Any) -> Int64:
    """The product of integers."""
    return wrap(math.prod(map(to_int, others), start=to_int(first)))


def div(a: Any, b: Any) -> Int64:
    """The quotient of two integers, cut towards zero."""
    return wrap(_quotient(a, b))


def mod(a: Any, b: Any) -> Int64:
    """The rest of a division, with the sign of the dividend."""
    return wrap(to_int(a) - _quotient(a, b) * to_int(b))


def _quotient(a: Any, b: Any) -> int:
    dividend, divisor = to_int(a), to_int(b)
    if divisor == 0:
        raise TemplateProblem("runtime error: integer divide by zero")
    size = abs(dividend) // abs(divisor)
    return size if (dividend < 0) == (divisor < 0) else -size


def largest(first: Any, *others: Any) -> Int64:
    """The largest of integers."""
    return Int64(max(map(to_int, (first, *others))))


def smallest(first: Any, *others: Any) -> Int64:
    """The smallest of integers."""
    return Int64(min(map(to_int, (first, *others))))


def addf(*values: Any) -> float:
    """The sum of numbers, exact in decimals."""
    with localcontext(_EXACT):
        return _to_unsigned_zero(sum(map(_to_decimal, values), Decimal(0)))


def subf(first: Any, *others: Any) -> float:
    """The first number minus the others, exact in decimals."""
    with localcontext(_EXACT):
        return _to_unsigned_zero(_to_decimal(first) - sum(map(_to_decimal, others), Decimal(0)))


def mulf(first: Any, *others: Any) -> float:
    """The product of numbers, exact in decimals."""
    with localcontext(_EXACT):
        return _to_unsigned_zero(math.prod(map(_to_decimal, others), start=_to_decimal(first)))


def divf(first: Any, *others: Any) -> float:
    """The first number divided by the others, to 16 decimal places each time."""
    value = _to_decimal(first)
    for other in others:
        divisor = _to_decimal(other)
        if not divisor:
            raise TemplateProblem("decimal division by 0")
        with localcontext(_EXACT):
            value = (value / divisor).quantize(_QUOTIENT_STEP, ROUND_HALF_UP)
    return _to_unsigned_zero(value)


def _to_unsigned_zero(value: Decimal) -> float:
    """The float of a decimal; zero has no sign in the decimals that Loki computes with."""
    return float(value) or 0.0


def _to_decimal(value: Any) -> Decimal:
    number = to_float(value)
    if not math.isfinite(number):
        raise TemplateProblem(f"Cannot create a Decimal from {format_float(number)}")
    return Decimal(repr(number))


def maxf(first: Any, *others: Any) -> float:
    """The largest of floats."""
    return _extreme(max, math.inf, (first, *others))


def minf(first: Any, *others: Any) -> float:
    """The smallest of floats."""
    return _extreme(min, -math.inf, (first, *others))


def _extreme(choose: Callable[[list[float]], float], limit: float, values: Iterable[Any]) -> float:
    """The largest or smallest float; NaN goes before all but the limit, as in Go."""
    numbers = list(map(to_float, values))
    if limit in numbers or not any(map(math.isnan, numbers)):
        return choose([number for number in numbers if not math.isnan(number)])
    return math.nan


def ceil(value: Any) -> float:
    """The next whole number upwards."""
    return _whole(math.ceil, to_float(value))


def floor(value: Any) -> float:
    """The next whole number downwards."""
    return _whole(math.floor, to_float(value))


def _whole(function: Callable[[float], int], number: float) -> float:
    """A whole number, zero with the sign that the number had."""
    return math.copysign(function(number), number) if math.isfinite(number) else number


def round_half_up(value: Any, places: int, round_on: float = 0.5) -> float:
    """The value rounded to a number of places; a rest of `round_on` or more rounds up."""
    number = to_float(value)
    if not math.isfinite(number):
        return number
    power = math.pow(10, places)
    digit = power * number
    rest = math.modf(digit)[0]
    whole = math.ceil(digit) if rest >= round_on else math.floor(digit)
    return float(whole) / power
