from __future__ import annotations

from lokikit.store.logql.grouped_labels import GroupedLabels, merged_labels
from lokikit.store.logql.syntax import Grouping
from lokikit.store.rows import Row

ROW = Row(1, {"app": "a", "host": "1"}, {"host": "2", "id": "7"}, "x")


def test_metadata_with_a_name_of_the_stream_gets_a_suffix():
    assert merged_labels(ROW) == {"app": "a", "host": "1", "host_extracted": "2", "id": "7"}


def test_by_takes_metadata():
    assert GroupedLabels(Grouping(("id",)), None).of_row(ROW) == (("id", "7"),)


def test_by_takes_metadata_with_the_suffix():
    labels = GroupedLabels(Grouping(("host_extracted",)), None)
    assert labels.of_row(ROW) == (("host_extracted", "2"),)


def test_remembered_labels_follow_the_metadata():
    labels = GroupedLabels(Grouping(("host_extracted",)), None)
    labels.of_row(ROW)
    other = Row(2, ROW.labels, {"host": "3"}, "x")
    assert labels.of_row(other) == (("host_extracted", "3"),)


def test_without_drops_empty_labels():
    row = Row(1, {"app": "a"}, {"id": ""}, "x")
    assert GroupedLabels(Grouping((), without=True), None).of_row(row) == (("app", "a"),)


def test_all_labels_keep_empty_ones():
    row = Row(1, {"app": "a"}, {"id": ""}, "x")
    assert GroupedLabels(None, None).of_row(row) == (("app", "a"), ("id", ""))
