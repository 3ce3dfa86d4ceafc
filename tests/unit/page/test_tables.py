from __future__ import annotations

from typing import Any

import pytest

from lokikit.page.dashboards import dashboards
from lokikit.page.panels import KINDS
from lokikit.page.tables import STEPS, Frame, Trend, transformed

MERGE = {"id": "merge"}


@pytest.mark.parametrize("uid", dashboards())
def test_every_kind_and_every_transformation_of_the_dashboards_is_known(uid: str) -> None:
    panels = dashboards()[uid]["panels"]
    assert {panel["type"] for panel in panels} <= KINDS.keys()
    steps = {step["id"] for panel in panels for step in panel.get("transformations") or ()}
    assert steps <= STEPS.keys()


def table(*frames: list[dict[str, Any]], steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the steps make of answers with the letters A, B, ...."""
    lettered = [Frame(rows, chr(ord("A") + number)) for number, rows in enumerate(frames)]
    return transformed(lettered, steps)


def test_answers_about_the_same_labels_become_one_row() -> None:
    one, other = [{"s": "a", "Value #A": 1.0}], [{"s": "a", "Value #B": 2.0}]
    assert table(one, other, steps=[MERGE]) == [{"s": "a", "Value #A": 1.0, "Value #B": 2.0}]


def test_rows_that_share_no_label_stay_apart() -> None:
    one, other = [{"s": "a", "Value #A": 1.0}], [{"t": "b", "Value #B": 2.0}]
    assert len(table(one, other, steps=[MERGE])) == 2


def test_equal_values_of_other_labels_do_not_merge() -> None:
    rows = [{"s": "a", "Value #A": 1.0}, {"s": "b", "Value #A": 1.0}]
    assert table(rows, steps=[MERGE]) == rows


def test_chosen_columns_stand_in_their_order_under_their_names() -> None:
    rows = [{"x": 1, "b": 2, "a": 3}]
    steps = [
        {"id": "filterFieldsByName", "options": {"include": {"names": ["a", "b"]}}},
        {
            "id": "organize",
            "options": {"indexByName": {"b": 0, "a": 1}, "renameByName": {"a": "A"}},
        },
    ]
    (row,) = table(rows, steps=steps)
    assert list(row.items()) == [("b", 2), ("A", 3)]


def test_rows_are_grouped_and_empty_values_left_out() -> None:
    rows = [{"s": "a", "Value": 1.0}, {"s": "a", "Value": None}, {"s": "a", "Value": 2.0}]
    fields = {
        "s": {"operation": "groupby", "aggregations": []},
        "Value": {"operation": "aggregate", "aggregations": ["sum", "max"]},
    }
    steps = [{"id": "groupBy", "options": {"fields": fields}}]
    assert table(rows, steps=steps) == [{"s": "a", "Value (sum)": 3.0, "Value (max)": 2.0}]


def test_a_matrix_leaves_cells_out_that_have_no_value() -> None:
    rows = [
        {"task": "t", "action": "run", "Value #A": 2.0},
        {"task": "u", "action": "fail", "Value #A": 1.0},
    ]
    options = {"rowField": "task", "columnField": "action", "valueField": "Value #A"}
    made = table(rows, steps=[MERGE, {"id": "groupingToMatrix", "options": options}])
    assert made == [{"task\\action": "t", "run": 2.0}, {"task\\action": "u", "fail": 1.0}]


def test_a_series_becomes_a_cell_with_its_course() -> None:
    rows = [{"t": "a", "Time": 1, "Value": 1.0}, {"t": "a", "Time": 2, "Value": None}]
    (row,) = table(rows, steps=[{"id": "timeSeriesTable"}])
    assert row == {"t": "a", "Trend #A": Trend((1.0, None))}
    assert row["Trend #A"].newest == 1.0


def test_a_step_that_is_switched_off_does_nothing() -> None:
    rows = [{"a": 1}]
    step = {"id": "filterFieldsByName", "disabled": True, "options": {"include": {"names": []}}}
    assert table(rows, steps=[step, MERGE]) == [{"a": 1}]
