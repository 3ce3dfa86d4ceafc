from __future__ import annotations

import pytest

from lokikit.page.choice import Choice
from lokikit.page.series import Grid, legend, step_s
from lokikit.query.results import Sample

S = 10**9


@pytest.mark.parametrize(
    ("range_s", "points", "least", "step"),
    [
        (3600, 80, 1, 60),
        (60, 80, 1, 1),
        (300, 80, 30, 30),
        (7 * 86400, 80, 1, 10800),
        (400 * 86400, 80, 1, 5 * 86400),
    ],
    ids=["hour", "minute", "least", "week", "year"],
)
def test_a_step_is_a_round_time(range_s: int, points: int, least: int, step: int) -> None:
    assert step_s(range_s, points, least) == step


def test_a_grid_covers_the_time_in_whole_steps() -> None:
    grid = Grid.of(Choice(1005 * S, 1300 * S), 10)
    assert grid.step_s == 30
    assert grid.times_s[0] == 1020
    assert grid.times_s[-1] == 1320


class FakeLoki:
    """Answers with values at given seconds."""

    def range_samples(self, query: str, start: int, end: int, step_s: float) -> list[Sample]:
        assert (query, start, end, step_s) == ("q", 1020 * S, 1320 * S, 30)
        return [Sample({"a": "b"}, 1050 * S, "2"), Sample({"a": "b"}, 9999 * S, "3")]


def test_values_stand_at_their_time_and_others_are_empty() -> None:
    grid = Grid.of(Choice(1005 * S, 1300 * S), 10)
    ((labels, values),) = grid.ask(FakeLoki(), "q")  # type: ignore[arg-type]
    assert labels == {"a": "b"}
    assert values[:3] == [None, 2.0, None]
    assert values.count(None) == len(values) - 1


@pytest.mark.parametrize(
    ("form", "name"),
    [("{{a}} in {{ b }}", "x in y"), ("__auto", "a=x, b=y"), ("plain", "plain"), ("{{c}}", "")],
    ids=["labels", "auto", "plain", "absent"],
)
def test_a_series_is_named_as_grafana_names_it(form: str, name: str) -> None:
    assert legend(form, {"a": "x", "b": "y"}) == name


def test_a_series_without_labels_has_a_name() -> None:
    assert legend("__auto", {}) == "value"
