from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lokikit.store.logql import json_parser
from lokikit.store.logql.json_parser import (
    has_json_error,
    is_plain_json,
    label_text,
    read_pairs,
    sanitize_name,
)

_KEYS = st.sampled_from(["a", "b", "a_b", "c d", "1x", "é", "", " k ", "__error__", "a_extracted"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)
_OBJECTS = st.dictionaries(_KEYS, _VALUES, max_size=5)


def test_a_line_that_orjson_writes_back_is_plain():
    assert is_plain_json('{"a":"x","b":1,"c":1.5,"d":{"e":null}}') is not None


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 1}',
        '{"a":1.50}',
        '{"a":1e3}',
        '{"a":1,"a":2}',
        '{"a":1} x',
        '{"a":-0}',
        '{"k.l":1}',
        '{"a":{"1x":1}}',
        '{"a":"\\u00e9"}',
        '{"a":"\ufffd"}',
        '{"a":1,"b_extracted":2}',
        '{"__error__":"x"}',
        '{"a":{"b":1},"a_b":2}',
        '{"a":[{"b":1}],"a_b":2}',
        "[1]",
        "text",
        "",
        '{"a":12345678901234567890123}',
        '{"a":' * 300 + "1" + "}" * 300,
    ],
)
def test_lines_that_loki_may_read_otherwise_than_orjson_are_odd(line: str):
    assert is_plain_json(line) is None


@pytest.mark.parametrize(
    "line", ['{"logger":"__main__"}', '{"a":"b_extracted"}', '{"route":"/a/{id}"}', '{"a":":[x"}']
)
def test_texts_that_look_like_odd_names_or_values_leave_a_line_plain(line: str):
    assert is_plain_json(line) is not None


@pytest.mark.parametrize("line", ['{"_":{"error__":"x"}}', '{"a":{"b_extracted":1}}'])
def test_nested_names_that_loki_keeps_for_itself_make_a_line_odd(line: str):
    assert is_plain_json(line) is None


def test_a_nested_name_that_is_hot_makes_the_line_odd():
    assert is_plain_json('{"http":{"method":"GET"}}', {"http_method"}) is None


def hot_values(line, names):
    """The labels of these top-level names, by the two functions that the storage calls."""
    value = is_plain_json(line, frozenset(names))
    return None if value is None else [label_text(value.get(name)) for name in names]


def test_an_odd_line_has_no_hot_values():
    assert hot_values('{"http_method": "GET"}', ["http_method"]) is None


def test_hot_values_are_the_labels_of_top_level_names():
    line = '{"a":"x","b":1.5,"c":true,"d":null,"e":[1]}'
    assert hot_values(line, ["a", "b", "c", "d", "e", "f"]) == ["x", "1.5", "true", *[None] * 3]


@given(_OBJECTS)
def test_hot_values_are_those_of_the_lenient_walk(value: dict[str, object]):
    try:
        line = orjson.dumps(value).decode()
    except TypeError:
        line = json.dumps(value)
    found = hot_values(line, ["a", "b", "a_b"])
    if found is not None:
        walked = dict(reversed(json_parser._walk(line)[0]))
        assert found == [walked.get(name) for name in ("a", "b", "a_b")]


@given(_OBJECTS, st.sampled_from(["escaped", "raw"]), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_the_decoders_read_what_the_lenient_walk_reads(
    value: dict[str, object], escape: str, separators: tuple[str, str]
):
    line = json.dumps(value, ensure_ascii=escape == "escaped", separators=separators)
    assert read_pairs(line) == json_parser._walk(line)


@given(st.text(alphabet='{}[]",:ab1 \\un\n', max_size=25))
def test_broken_text_reads_as_the_lenient_walk_reads_it(text: str):
    line = "{" + text
    assert read_pairs(line) == json_parser._walk(line)


@pytest.mark.parametrize("line", ['{"a":1', "x", "", '{"a":tru}', "[1]", '{"a" 1}', '{"\\x":1}'])
def test_broken_lines_have_an_error(line: str):
    assert has_json_error(line)


@pytest.mark.parametrize("line", ["{}", ' {"a":01} x', '{"a":1,}', '{"a":"\\ud800"}', '{"a":1}}'])
def test_what_loki_reads_in_spite_of_the_standard_has_no_error(line: str):
    assert not has_json_error(line)


def test_a_line_may_bring_its_error_label_itself():
    assert has_json_error('{"__error__":"x"}')


def test_objects_deeper_than_a_hundred_levels_count_as_broken_where_numbers_are_not_plain():
    assert read_pairs('{"a":' * 200 + "01" + "}" * 200) == ([], "Malformed JSON error")


def test_a_line_of_open_braces_is_read_in_one_pass():
    assert has_json_error('{"a":' * 50_000)


@pytest.mark.parametrize(
    ("key", "name"),
    [("k.l", "k_l"), ("1st", "_1st"), (" a\u00a0", "a"), ("é😀", "__"), ("a:b", "a_b"), ("٣", "_")],
)
def test_names_are_sanitised_as_loki_does(key: str, name: str):
    assert sanitize_name(key) == name


@pytest.mark.parametrize(
    ("value", "text"), [(1.5, "1.5"), (0.1, "0.1"), (True, "true"), (None, None), ([], None)]
)
def test_label_texts_are_those_of_the_line(value: object, text: str | None):
    assert label_text(value) == text
