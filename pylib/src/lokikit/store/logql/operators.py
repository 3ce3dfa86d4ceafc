"""The binary operators: how strongly each binds, and its value for numbers alone."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
STRENGTH = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(COMPARISONS, 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys("*/%", 5),
    "^": 6,
}
SET_OPERATORS = frozenset({"or", "and", "unless"})


def groups_right(op: str) -> bool:
    """True when `a op b op c` means `a op (b op c)`."""
    return op == "^"


def fold(op: str, left: float, right: float) -> float:
    """Value of an arithmetic operation or comparison of two numbers, as Loki computes it.

    A comparison gives 1 or 0; a division or a modulo by zero gives NaN.
    """
    return float(_OPERATIONS[op](left, right))


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan


def _remainder(left: float, right: float) -> float:
    """Remainder with the sign of the left side."""
    if not right or math.isinf(left):
        return math.nan
    return math.fmod(left, right)


def _power(left: float, right: float) -> float:
    """Power as Go's `math.Pow`: no errors, an infinity or NaN instead."""
    try:
        return math.pow(left, right)
    except OverflowError:
        return -math.inf if left < 0 and right % 2 else math.inf
    except ValueError:
        if left:
            return math.nan
        return math.copysign(math.inf, left) if right % 2 else math.inf


_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
    "^": _power,
    **COMPARISONS,
}
