from __future__ import annotations

import pytest
from tests.unit.store.logql.evaluation import instant, row

ROWS = [
    row(1, "x", app="a", host="1"),
    row(2, "x", app="a", host="2"),
    row(3, "x", app="b", host="1"),
    row(4, "x", app="b", host="1"),
]
COUNT = 'count_over_time({app=~".+"}[1m])'


@pytest.mark.parametrize(
    ("op", "value"),
    [("sum", 4), ("min", 1), ("max", 2), ("count", 3), ("avg", 4 / 3), ("stdvar", 2 / 9)],
)
def test_aggregations_without_grouping(op, value):
    assert instant(f"{op}({COUNT})", *ROWS) == {"": pytest.approx(value)}


def test_by_groups():
    assert instant(f"sum by (app) ({COUNT})", *ROWS) == {"app=a": 2, "app=b": 2}


def test_without_groups():
    query = f"max without (app, detected_level) ({COUNT})"
    assert instant(query, *ROWS) == {"host=1": 2, "host=2": 1}


def test_topk_keeps_labels():
    query = f"topk(1, sum by (app, host) ({COUNT}))"
    assert instant(query, *ROWS) == {"app=b,host=1": 2}


def test_bottomk_by_group():
    query = f"bottomk by (app) (1, sum by (app, host) ({COUNT}))"
    assert set(instant(query, *ROWS)) == {"app=a,host=1", "app=b,host=1"}


def test_sort_orders_an_instant_answer():
    query = f"sort_desc(sum by (app, host) ({COUNT}))"
    assert next(iter(instant(query, *ROWS))) == "app=b,host=1"


def test_average_of_rates():
    query = 'avg(rate({app=~".+"}[1m]))'
    assert instant(query, *ROWS) == {"": 4 / 60 / 3}
