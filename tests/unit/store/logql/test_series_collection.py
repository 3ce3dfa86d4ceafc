from __future__ import annotations

import pytest

from lokikit.store.errors import LimitError
from lokikit.store.logql.series import Series, Steps
from lokikit.store.logql.series_collection import collect_series, series_vectors

STEPS = Steps(0, 2, 1)
A, B = (("n", "a"),), (("n", "b"),)


def test_series_have_gaps():
    series = collect_series([[(A, 1.0)], [], [(A, 3.0), (B, 4.0)]], STEPS)
    assert series == [Series({"n": "a"}, [1, None, 3]), Series({"n": "b"}, [None, None, 4])]


def test_equal_labels_in_one_step_become_two_series():
    series = collect_series([[(A, 1.0), (A, 2.0)]], Steps.instant(0))
    assert [one.values for one in series] == [[1.0], [2.0]]


def test_vectors_of_series():
    series = [Series({"n": "a"}, [1.0, None, 3.0])]
    assert list(series_vectors(series, STEPS)) == [[(A, 1.0)], [], [(A, 3.0)]]


def test_too_many_values_are_refused():
    with pytest.raises(LimitError, match="larger step"):
        collect_series([[(A, 1.0), (B, 1.0)]], Steps(0, 15_000_000, 1))
