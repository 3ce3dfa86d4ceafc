from __future__ import annotations

import pytest
from tests.unit.store.logql.evaluation import at, row

from lokikit.store.errors import StoppedError
from lokikit.store.logql.memory_source import MemorySource
from lokikit.store.logql.parser import parse_query


def lines(source: MemorySource, selector: str, **options: str) -> list[str]:
    matchers = parse_query(selector).matchers
    return [found.line for found in source.rows(matchers, at(0), at(60), **options)]


def test_rows_are_ordered_by_time():
    source = MemorySource([row(2, "b"), row(1, "a")])
    assert lines(source, '{app="a"}') == ["a", "b"]


def test_backward_begins_with_the_newest():
    source = MemorySource([row(1, "a"), row(2, "b")])
    assert lines(source, '{app="a"}', direction="backward") == ["b", "a"]


def test_end_is_excluded():
    source = MemorySource([row(0, "a"), row(60, "b")])
    assert lines(source, '{app="a"}') == ["a"]


def test_equal_rows_are_kept_once():
    source = MemorySource([row(1, "a"), row(1, "a")])
    assert lines(source, '{app="a"}') == ["a"]


def test_level_is_detected():
    source = MemorySource([row(1, '{"level":"error"}')])
    found = next(source.rows(parse_query('{app="a"}').matchers, at(0), at(60)))
    assert found.metadata == {"detected_level": "error"}


@pytest.mark.parametrize(
    "selector",
    [
        '{app="b"}',
        '{app=~".+", app!="a"}',
        '{app=~"b|c"}',
        '{app=~".+", app!~"a"}',
        '{app=~".+", x=""}',
    ],
)
def test_matchers_select_streams(selector):
    rows = [row(1, "a", app="a", x="1"), row(1, "b", app="b")]
    assert lines(MemorySource(rows), selector) == ["b"]


def test_streams_of_a_span():
    source = MemorySource([row(1, "a", app="a"), row(90, "b", app="b")])
    matchers = parse_query('{app=~".+"}').matchers
    assert source.streams(matchers, at(0), at(60)) == [{"app": "a"}]


def test_check_stops_a_read():
    def check() -> None:
        raise StoppedError("over")

    source = MemorySource([row(1, "a")])
    with pytest.raises(StoppedError):
        list(source.rows((), at(0), at(60), check=check))
