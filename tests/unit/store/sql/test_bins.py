from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lokikit.store.sql.bins import Bins

_BINS = st.builds(
    Bins,
    first_end_ns=st.integers(-50, 50),
    step_ns=st.integers(1, 20),
    range_ns=st.integers(1, 50),
    count=st.integers(1, 8),
)


@settings(deadline=None)
@given(_BINS, st.integers(-120, 250))
def test_windows_are_the_bins_of_their_moments(bins: Bins, time_ns: int):
    found = bins.bin(time_ns)
    for window in range(bins.count):
        start_ns, end_ns = bins.bounds_ns(window)
        first, last = bins.window(window)
        in_bins = found is not None and first <= found <= last
        assert in_bins == (start_ns < time_ns <= end_ns)


@settings(deadline=None)
@given(_BINS)
def test_sql_gives_the_same_bins(bins: Bins):
    times = range(bins.after_ns - 3, bins.last_ns + 3)
    source = "(SELECT unnest(?)::BIGINT AS ts)"
    query = f"SELECT ts, {bins.sql()} FROM {source} WHERE {bins.condition()}"  # noqa: S608 - numbers
    found = dict(duckdb.execute(query, [list(times)]).fetchall())
    expected = {time_ns: bins.bin(time_ns) for time_ns in times}
    assert {t: int(n) for t, n in found.items()} == {
        t: n for t, n in expected.items() if n is not None
    }


@pytest.mark.parametrize(("range_ns", "count"), [(60, 1), (7, 100), (61, 20)])
def test_no_more_than_two_bins_lie_between_two_steps(range_ns: int, count: int):
    bins = Bins(0, 60, range_ns, count)
    numbers = {bins.bin(time_ns) for time_ns in range(bins.after_ns, bins.last_ns + 1)}
    assert len(numbers - {None}) <= 2 * (count + range_ns // 60 + 1)
