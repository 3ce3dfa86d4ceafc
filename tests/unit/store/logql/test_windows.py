from __future__ import annotations

import pytest

from lokikit.store.logql.windows import (
    CountWindow,
    SlidingCountWindow,
    SlidingWindow,
    SumWindow,
)


@pytest.mark.parametrize("window_class", [SlidingWindow, SlidingCountWindow])
def test_sliding_windows_forget_samples_at_their_start(window_class):
    """A window is (start, end]."""
    window = window_class()
    for time_ns in (1, 2, 3):
        window.add(time_ns, 1.0)
    window.move(2)
    assert (len(window), list(window.times_ns())) == (1, [3])


@pytest.mark.parametrize("window_class", [SlidingWindow, SlidingCountWindow])
def test_sliding_windows_stay_right_when_they_shrink(window_class):
    window = window_class()
    for time_ns in range(20_000):
        window.add(time_ns, float(time_ns))
        window.move(time_ns - 10)
    assert list(window.times_ns()) == list(range(19_990, 20_000))


def test_sliding_window_keeps_values_in_order():
    window = SlidingWindow()
    window.add(1, 5.0)
    window.add(2, 4.0)
    assert list(window.values()) == [5.0, 4.0]


@pytest.mark.parametrize("window_class", [CountWindow, SumWindow])
def test_windows_without_overlap_begin_anew(window_class):
    window = window_class()
    window.add(1, 5.0)
    window.move(1)
    assert len(window) == 0


def test_sum_window_holds_the_sum_alone():
    window = SumWindow()
    window.add(1, 5.0)
    window.add(2, 4.0)
    assert list(window.values()) == [9.0]
