from __future__ import annotations

import pytest
from tests.unit.store.logql.evaluation import SECOND_NS, at, evaluator, instant, over, row

from lokikit.store.errors import LimitError, StoppedError
from lokikit.store.logql.limits import Limits
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.series import SampleRequest, Series, Steps

LINES = [row(second, f"line {second}") for second in range(10)]


class Answering:
    """A sampler that answers always the same, and keeps what it is asked for."""

    def __init__(self, answer: list[Series] | None, *, outer: bool | None = None) -> None:
        self._answer, self._outer = answer, outer
        self.requests: list[SampleRequest] = []

    def sample(self, request: SampleRequest) -> list[Series] | None:
        self.requests.append(request)
        if self._outer is not None and self._outer != (request.outer is not None):
            return None
        return self._answer


def entries(query: str, limit: int = 100, direction: str = "forward") -> list[str]:
    found = evaluator(*LINES).entries(parse_query(query), at(0), at(9), limit, direction)
    return [entry.line for entry in found]


def test_entries_end_before_the_end():
    assert len(entries('{app="a"}')) == 9


def test_entries_backward_begin_with_the_newest():
    assert entries('{app="a"}', 2, "backward") == ["line 8", "line 7"]


def test_entries_pass_the_pipeline():
    assert entries('{app="a"} |= "3" | line_format "new"') == ["new"]


def test_entries_are_read_as_they_are_asked_for():
    class Endless:
        def rows(self, *_arguments: object, **_options: object):
            while True:
                yield LINES[0]

    found = evaluator()
    found._source = Endless()
    assert len(found.entries(parse_query('{app="a"}'), at(0), at(9), 3, "backward")) == 3


def test_too_many_entries_are_refused():
    with pytest.raises(LimitError, match=r"max_entries_limit_per_query \(6000 > 5000\)"):
        entries('{app="a"}', 6000)


def test_scalar_has_a_value_at_each_step():
    assert over("1 + 1", end=20, step=10) == [[2, 2, 2]]


def test_vector_function():
    assert instant("vector(3)") == {"": 3}


def test_series_are_ordered_by_labels():
    rows = [row(1, "x", app="b"), row(2, "x", app="a")]
    answer = instant('sum by (app) (count_over_time({app=~".+"}[1m]))', *rows)
    assert list(answer) == ["app=a", "app=b"]


def test_too_many_points_are_refused():
    steps = Steps(at(0), at(11_001), SECOND_NS)
    with pytest.raises(LimitError, match="maximum resolution of 11,000 points"):
        evaluator().samples(parse_query("vector(1)"), steps)


@pytest.mark.parametrize(
    "query",
    [
        'count_over_time({app="a"} | regexp "(?P<n>.)$" [1m])',
        'topk(1, count_over_time({app="a"} | regexp "(?P<n>.)$" [1m]))',
        'sum(max by (n) (count_over_time({app="a"} | regexp "(?P<n>.)$" [1m])))',
    ],
)
def test_too_many_series_are_refused(query):
    """Also below another aggregation, as a real Loki refuses them."""
    found = evaluator(*LINES, limits=Limits(max_series=3))
    with pytest.raises(LimitError, match=r"maximum number of series \(3\) reached"):
        found.samples(parse_query(query), Steps.instant(at(60)))


def test_sampler_answers_the_aggregation_with_its_outer_one():
    sampler = Answering([Series({"n": "1"}, [5.0])])
    query = parse_query('sum by (n) (count_over_time({app="a"}[1m])) * 2')
    series = evaluator(samplers=[sampler]).samples(query, Steps.instant(at(60)))
    assert series == [Series({"n": "1"}, [10.0])]


def test_sampler_is_asked_again_without_the_outer_aggregation():
    sampler = Answering([Series({"n": "1"}, [5.0]), Series({"n": "2"}, [7.0])], outer=False)
    query = parse_query('max(count_over_time({app="a"}[1m]))')
    series = evaluator(samplers=[sampler]).samples(query, Steps.instant(at(60)))
    assert series == [Series({}, [7.0])]


def test_rows_are_read_when_no_sampler_answers():
    sampler = Answering(None)
    query = parse_query('max(count_over_time({app="a"}[1m]))')
    series = evaluator(*LINES, samplers=[sampler]).samples(query, Steps.instant(at(60)))
    assert series == [Series({}, [9.0])]


def test_check_stops_a_query():
    def check() -> None:
        raise StoppedError("over")

    query = parse_query('sum(count_over_time({app="a"}[1m]))')
    with pytest.raises(StoppedError):
        evaluator(*LINES, check=check).samples(query, Steps.instant(at(60)))
