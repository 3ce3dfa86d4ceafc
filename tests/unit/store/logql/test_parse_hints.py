from __future__ import annotations

from lokikit.store.logql.parse_hints import parse_hints
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.pipeline import compile_pipeline
from lokikit.store.logql.syntax import LogExpression
from lokikit.store.rows import Row


def stages(pipeline: str):
    query = parse_query(f'{{a="b"}} {pipeline}')
    assert isinstance(query, LogExpression)
    return query.stages


def parsed(pipeline: str, line: str, wanted: frozenset[str] | None = None):
    found = compile_pipeline(stages(pipeline), wanted).process(Row(1, {"app": "x"}, {}, line))
    return None if found is None else dict(found.parsed)


def test_all_labels_are_read_when_nobody_says_which_are_wanted():
    assert parse_hints(stages("| json"), None).required is None


def test_filters_and_templates_want_their_labels():
    hints = parse_hints(
        stages('| json | a="1" and b>1 | label_format z="{{.c}}", y=d | line_format "{{.e}}"'),
        frozenset({"f"}),
    )
    assert hints.required == frozenset("abcdef")


def test_a_parser_is_left_out_when_no_label_is_wanted():
    assert parsed("| json", "broken", frozenset()) == {}


def test_a_parser_stops_where_all_wanted_labels_are_found():
    assert parsed("| json", '{"a":1, broken', frozenset("a")) == {"a": "1"}


def test_a_parser_reads_on_while_a_wanted_label_is_missing():
    assert "__error__" in (parsed("| json", '{"a":1, broken', frozenset("ab")) or {})


def test_a_label_that_clashes_does_not_end_the_reading():
    assert "__error__" in (parsed("| json", '{"app":1, broken', frozenset({"app"})) or {})


def test_labels_that_nobody_looks_at_are_not_set():
    assert parsed("| json", '{"a":1,"b":2}', frozenset("a")) == {"a": "1"}


def test_a_label_may_be_wanted_by_its_name_behind_a_clash():
    wanted = frozenset({"a", "app_extracted"})
    assert parsed("| json", '{"a":1,"app":"y"}', wanted) == {"a": "1", "app_extracted": "y"}


def test_a_nested_label_may_be_wanted():
    assert parsed("| json", '{"a":{"b":1},"c":2}', frozenset({"a_b"})) == {"a_b": "1"}


def test_the_next_parser_is_left_out_when_all_is_found():
    assert parsed("| json | logfmt --strict", '{"a":1}', frozenset("a")) == {"a": "1"}


def test_the_first_filter_on_a_label_drops_the_line_where_a_parser_finds_it():
    assert parsed('| json | label_format a="5" | a="5"', '{"a":"1"}') is None


def test_a_later_filter_on_the_label_waits_for_its_turn():
    found = parsed('| json | a="1" | label_format a="5" | a="5"', '{"a":"1"}')
    assert found == {"a": "5"}


def test_combined_filters_wait_for_their_turn():
    assert parsed('| json | label_format a="5" | a="5" or a="6"', '{"a":"1"}') == {"a": "5"}
