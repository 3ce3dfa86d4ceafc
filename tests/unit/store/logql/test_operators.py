from __future__ import annotations

import math

import pytest

from lokikit.store.logql.operators import fold


@pytest.mark.parametrize(
    ("op", "left", "right", "value"),
    [
        ("+", 1, 2, 3),
        ("-", 1, 2, -1),
        ("*", 2, 3, 6),
        ("/", 1, 4, 0.25),
        ("%", 5, 3, 2),
        ("%", -5, 3, -2),
        ("%", 5, math.inf, 5),
        ("^", 2, 10, 1024),
        ("^", 10, 400, math.inf),
        ("^", -10, 401, -math.inf),
        ("^", 0, -1, math.inf),
        ("==", 1, 1, 1),
        ("!=", 1, 1, 0),
        (">", 2, 1, 1),
        (">=", 1, 2, 0),
        ("<", 1, 2, 1),
        ("<=", 2, 1, 0),
    ],
)
def test_operations_on_numbers(op: str, left: float, right: float, value: float) -> None:
    """A comparison gives one or zero."""
    assert fold(op, left, right) == value


@pytest.mark.parametrize(
    ("op", "left", "right"),
    [("/", 1, 0), ("/", 0, 0), ("%", 1, 0), ("%", math.inf, 2), ("^", -8, 0.5)],
)
def test_what_has_no_value_is_nan(op: str, left: float, right: float) -> None:
    """No error is raised."""
    assert math.isnan(fold(op, left, right))
