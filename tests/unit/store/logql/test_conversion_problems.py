from __future__ import annotations

import pytest

from lokikit.store.logql.conversion_problems import duration_problem, size_problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("5", 'time: missing unit in duration "5"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("abc", 'time: invalid duration "abc"'),
        ("", 'time: invalid duration ""'),
        ("µs", r'time: invalid duration "\xc2\xb5s"'),
        ("1h2", 'time: missing unit in duration "1h2"'),
    ],
)
def test_durations(text: str, problem: str):
    assert duration_problem(text) == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-1", 'strconv.ParseFloat: parsing "": invalid syntax'),
        ("1e1", "unhandled size name: e1"),
        ("1.2.3", 'strconv.ParseFloat: parsing "1.2.3": invalid syntax'),
    ],
)
def test_sizes(text: str, problem: str):
    assert size_problem(text) == problem
