from __future__ import annotations

from lokikit.store.logql.labels_builder import LineState, Processed
from lokikit.store.logql.parse_hints import ParseHints
from lokikit.store.rows import Row

_STREAM = {"app": "st"}
_METADATA = {"trace": "m"}


def state() -> LineState:
    return LineState(Row(1, _STREAM, _METADATA, "line"), ParseHints())


def test_categories_that_no_stage_changed_are_shared():
    found = state().finish()
    assert found.stream is _STREAM
    assert found.metadata is _METADATA


def test_a_clash_with_stream_or_metadata_gets_a_suffix():
    line = state()
    line.extract("app", "x")
    line.extract("trace", "y")
    assert line.parsed == {"app_extracted": "x", "trace_extracted": "y"}


def test_the_first_of_equal_names_stands():
    line = state()
    line.extract("a", "1")
    line.extract("a", "2")
    assert line.parsed == {"a": "1"}


def test_a_label_that_was_dropped_does_not_come_back_from_a_parser():
    line = state()
    line.extract("a", "1")
    line.delete("a")
    line.extract("a", "2")
    assert line.parsed == {}


def test_metadata_that_was_dropped_makes_room_for_a_parser():
    line = state()
    line.delete("trace")
    line.extract("trace", "y")
    assert line.finish().metadata == {}
    assert line.parsed == {"trace": "y"}


def test_an_assigned_label_hides_that_of_the_stream():
    line = state()
    line.assign("app", "new")
    assert line.finish().stream == {}
    assert line.get("app") == "new"


def test_errors_become_parsed_labels():
    line = state()
    line.fail("JSONParserErr", "why")
    assert line.finish().parsed == {"__error__": "JSONParserErr", "__error_details__": "why"}


def test_a_second_error_without_details_keeps_the_first_details():
    line = state()
    line.fail("JSONParserErr", "why")
    line.fail("JSONParserErr")
    assert line.error_details == "why"


def test_the_error_can_be_dropped_without_its_details():
    line = state()
    line.fail("JSONParserErr", "why")
    line.delete("__error__")
    assert line.finish().parsed == {"__error_details__": "why"}


def test_processed_merges_its_categories():
    found = Processed(1, "line", _STREAM, _METADATA, {"a": "1"})
    assert found.labels() == {"app": "st", "trace": "m", "a": "1"}
    assert found.label("trace") == "m"
    assert found.label("nope") is None
