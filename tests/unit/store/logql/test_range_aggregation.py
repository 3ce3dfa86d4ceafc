from __future__ import annotations

from tests.unit.store.logql.evaluation import instant, over, row

LINES = [row(second, f"v={second}") for second in (0, 10, 20, 30)]


def test_window_excludes_its_start_and_includes_its_end():
    query = 'sum(count_over_time({app="a"}[20s]))'
    assert instant(query, *LINES, seconds=20) == {"": 2}


def test_windows_overlap():
    query = 'sum(count_over_time({app="a"}[20s]))'
    assert over(query, *LINES, end=40, step=10) == [[1, 2, 2, 2, 1]]


def test_windows_with_gaps():
    query = 'sum(count_over_time({app="a"}[5s]))'
    assert over(query, *LINES, end=40, step=20) == [[1, 1, None]]


def test_offset_moves_the_window_back():
    query = 'sum(count_over_time({app="a"}[5s] offset 10s))'
    assert over(query, *LINES, end=20, step=10) == [[None, 1, 1]]


def test_rate_is_per_second():
    assert instant('sum(rate({app="a"}[1m]))', *LINES) == {"": 3 / 60}


def test_bytes_are_those_of_utf8():
    assert instant('sum(bytes_over_time({app="a"}[1m]))', row(1, "ü€")) == {"": 5}


def test_first_and_last_follow_time():
    query = '{app="a"} | logfmt | unwrap v [1m]) by ()'
    assert instant(f"first_over_time({query}", *LINES) == {"": 10}
    assert instant(f"last_over_time({query}", *LINES) == {"": 30}


def test_absence_has_the_labels_of_equal_matchers():
    query = 'absent_over_time({app="none", a=~"b", c!="d"}[1m])'
    assert instant(query, *LINES) == {"app=none": 1}


def test_absence_ends_with_a_line():
    query = 'absent_over_time({app="a"}[10s])'
    assert over(query, *LINES, end=40, step=10) == [[None, None, None, None, 1]]
