from dataclasses import replace

import pytest

from lokikit.store.api.engine import Engine
from lokikit.store.api.http import Form
from lokikit.store.api.query import answer, longest_range_ns, read_range
from lokikit.store.errors import LimitError, StoppedError
from lokikit.store.limits import kit_limits
from lokikit.store.logql.memory_source import MemorySource
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.series import align
from lokikit.store.rows import Row

S = 10**9
NOW_NS = 1_795_000_000 * S
ROWS = [Row(NOW_NS - index * S, {"a": "b"}, {}, "x" * 10) for index in range(1, 5)]


def ask(query='{a="b"}', check=lambda: None, **limits):
    engine = Engine(MemorySource(ROWS), replace(kit_limits(), **limits))
    request = read_range(Form([("query", query)]), engine.limits, NOW_NS)
    return answer(engine, request, (), check)


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "first_ns", "last_ns"),
    [
        (13 * S, 17 * S, 10 * S, 20 * S),
        (10 * S, 20 * S, 10 * S, 20 * S),
        (-5 * S, 1, -10 * S, 10 * S),
    ],
)
def test_steps_reach_from_before_the_start_to_behind_the_end(start_ns, end_ns, first_ns, last_ns):
    times = align(start_ns, end_ns, 10 * S).times()
    assert (times[0], times[-1]) == (first_ns, last_ns)


def test_longest_range_of_a_query_counts():
    query = 'sum(rate({a="b"}[5m])) / label_replace(count_over_time({a="b"}[1h]), "a", "", "b", "")'
    assert longest_range_ns(parse_query(query)) == 3600 * S
    assert longest_range_ns(parse_query("vector(1)")) == 0


def test_lines_of_an_answer_are_bounded_in_size():
    assert len(ask(max_answer_bytes=40)["result"][0]["values"]) == 4
    with pytest.raises(LimitError, match="more than 39 characters"):
        ask(max_answer_bytes=39)


def test_query_stops_when_its_check_raises():
    def check():
        raise StoppedError("stop", 504)

    with pytest.raises(StoppedError):
        ask(check=check)


def test_series_beyond_the_limit_are_refused():
    with pytest.raises(LimitError, match=r"maximum number of series \(0\) reached"):
        ask('count_over_time({a="b"}[1h])', max_query_series=0)
