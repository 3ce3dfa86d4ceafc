from __future__ import annotations

import math

from lokikit.store.logql.selection import BestSamples


def kept(values: list[float], count: int, *, largest: bool) -> list[float]:
    selection = BestSamples(count, largest=largest)
    for number, value in enumerate(values):
        selection.offer(((("n", str(number)),), value))
    return sorted(value for _labels, value in selection.samples)


def test_largest_values_stay():
    assert kept([5, 1, 4, 2, 3], 2, largest=True) == [4, 5]


def test_smallest_values_stay():
    assert kept([5, 1, 4, 2, 3], 2, largest=False) == [1, 2]


def test_fewer_samples_than_asked_for_stay_all():
    assert kept([2, 1], 5, largest=True) == [1, 2]


def test_nan_gives_way_to_a_number():
    assert kept([math.nan, 1.0], 1, largest=True) == [1.0]


def test_first_of_equal_values_stays():
    selection = BestSamples(1, largest=True)
    selection.offer(((("n", "0"),), 1.0))
    selection.offer(((("n", "1"),), 1.0))
    assert selection.samples == [((("n", "0"),), 1.0)]
