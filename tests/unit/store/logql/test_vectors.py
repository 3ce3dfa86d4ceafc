from __future__ import annotations

from lokikit.store.logql.quoting import format_labels
from lokikit.store.logql.syntax import Grouping
from lokikit.store.logql.vectors import group_filter

LABELS = (("a", "1"), ("b", ""), ("c", "3"))


def test_no_grouping_is_one_group():
    assert group_filter(None)(LABELS) == ()


def test_by_keeps_empty_labels():
    assert group_filter(Grouping(("a", "b")))(LABELS) == (("a", "1"), ("b", ""))


def test_without_drops_empty_labels():
    assert group_filter(Grouping(("a",), without=True))(LABELS) == (("c", "3"),)


def test_labels_are_printed_as_go_does():
    assert format_labels({"b": 'x"y', "a": "1"}) == '{a="1", b="x\\"y"}'
