from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lokikit.errors import RefusedError, SettingsError
from lokikit.query.paging import Pager, halving_pattern
from lokikit.query.results import LogEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from lokikit.query.paging import Direction

QUERY = '{service_name="x"}'
_FILTER = re.compile(r'\n\|= "" (\|~|!~) `(.*)`')


def rows_of(entries: list[LogEntry]) -> list[tuple[int, str]]:
    """What the tests compare."""
    return [(entry.timestamp_ns, entry.line) for entry in entries]


class Store:
    """What Loki does with one question, over rows in memory; `tests/stack` asks the real one."""

    def __init__(self, rows: list[tuple[int, str]], max_page: int = 5000) -> None:
        self.rows = rows
        self.max_page = max_page
        self.sizes: list[int] = []

    def fetch(
        self, query: str, start_ns: int, end_ns: int, limit: int, direction: Direction
    ) -> list[LogEntry]:
        """One answer."""
        self.sizes.append(limit)
        keep = [_predicate(*found) for found in _FILTER.findall(query)]
        found = [
            LogEntry(time_ns, line, {}, {})
            for time_ns, line in self.rows
            if start_ns <= time_ns < end_ns and all(test(line) for test in keep)
        ]
        found.sort(key=lambda entry: entry.timestamp_ns, reverse=direction == "backward")
        if len(found[:limit]) > self.max_page:
            raise RefusedError("response larger than the max", 413)
        return found[:limit]


def _predicate(operator: str, pattern: str) -> Callable[[str], bool]:
    python = re.sub(r"\\x\{([0-9a-f]+)\}", lambda match: f"\\U{int(match[1], 16):08x}", pattern)
    return lambda line: bool(re.search(python, line)) == (operator == "|~")


ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.text(st.characters(exclude_categories=["Cs"]), max_size=6)),
    unique=True,
    max_size=60,
)


@given(
    rows=ROWS,
    page=st.integers(2, 9),
    limit=st.none() | st.integers(0, 70),
    direction=st.sampled_from(["forward", "backward"]),
)
def test_every_entry_once(
    rows: list[tuple[int, str]], page: int, limit: int | None, direction: Direction
) -> None:
    """Whatever the timestamps, page size and limit: complete, without duplicates, in order."""
    found = rows_of(list(Pager(Store(rows).fetch, page).entries(QUERY, 0, 7, limit, direction)))
    times = sorted((time_ns for time_ns, _ in rows), reverse=direction == "backward")
    assert [time_ns for time_ns, _ in found] == times[:limit]
    assert len(set(found)) == len(found)
    assert set(found) <= set(rows)


def test_end_is_left_out() -> None:
    """The span has its start and not its end, so that neighbouring spans share no entry."""
    store = Store([(1, "a"), (2, "b"), (3, "c")])
    assert rows_of(list(Pager(store.fetch).entries(QUERY, 1, 3))) == [(1, "a"), (2, "b")]


def test_small_limit_is_one_small_question() -> None:
    """A limit below the page size asks Loki for no more than that."""
    store = Store([(number, "line") for number in range(100)])
    assert len(list(Pager(store.fetch).entries(QUERY, 0, 100, 7))) == 7
    assert store.sizes == [7]


def test_pages_are_asked_for_when_they_are_needed() -> None:
    """Paging is lazy: memory holds a page, not the result."""
    store = Store([(number, "line") for number in range(100)])
    entries = Pager(store.fetch, 10).entries(QUERY, 0, 100)
    next(entries)
    assert store.sizes == [10]


def test_too_large_pages_get_smaller() -> None:
    """A page that is more than Loki can answer with is asked for in smaller ones, from then on."""
    rows = [(number, str(number)) for number in range(200)]
    store = Store(rows, max_page=30)
    assert rows_of(list(Pager(store.fetch, 100).entries(QUERY, 0, 200))) == rows
    assert store.sizes[:3] == [100, 50, 25]
    assert set(store.sizes[3:]) == {25}


def test_too_large_at_the_smallest_page() -> None:
    """When even a small page is too large, Loki's refusal is raised rather than asked for ever."""
    store = Store([(number, str(number)) for number in range(200)], max_page=1)
    with pytest.raises(RefusedError, match="larger"):
        list(Pager(store.fetch, 100).entries(QUERY, 0, 200))


def test_equal_lines_beyond_a_page() -> None:
    """Equal lines at one timestamp that fill a page cannot be split: an error, no loss."""
    with pytest.raises(SettingsError, match="equal lines"):
        list(Pager(Store([(1, "same")] * 20).fetch, 10).entries(QUERY, 0, 2))


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2))
def test_halves(lines: list[str]) -> None:
    """Lines that differ are split into two parts, neither of them empty."""
    pattern = halving_pattern(lines)
    if len(set(lines)) == 1:
        assert pattern is None
    else:
        assert pattern is not None
        matching = _predicate("|~", pattern)
        assert 0 < sum(map(matching, lines)) < len(lines)


def test_halves_far_behind_the_start() -> None:
    """Lines that differ only behind a long common beginning are split too: RE2 counts to 1,000."""
    lines = [f"{'x' * 2500}{number}" for number in range(10)]
    pattern = halving_pattern(lines)
    assert pattern is not None
    assert ".{1000}.{1000}.{500}" in pattern
    assert sum(map(_predicate("|~", pattern), lines)) == 5
