from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lokikit.store.logql.json_stage import JsonExtraction
from lokikit.store.logql.labels_builder import LineState
from lokikit.store.logql.parse_hints import ParseHints
from lokikit.store.logql.pipeline_syntax import Extraction
from lokikit.store.rows import Row

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_LINES = st.dictionaries(st.sampled_from("abcd"), _SCALARS, max_size=4).map(
    lambda value: json.dumps(value, ensure_ascii=False)
)


def extracted(line: str, *names: str) -> dict[str, str]:
    stage = JsonExtraction([Extraction(name, name) for name in names])
    state = LineState(Row(1, {}, {}, line), ParseHints())
    assert stage(state)
    return state.parsed


@pytest.mark.parametrize(
    "line",
    [
        '{"a":"x","b":1.50}',
        '{"a":1,"a":2}',
        '{"a":"\\u0061"}',
        '{"\\u0061":1,"a":2}',
        '{"a":-0,"b":0}',
        '{"a":{"b":1},"b":[1, 2]}',
        '{"c":"a","b":null}',
        '{"a":"\ufffd"}',
    ],
)
def test_the_fast_way_gives_what_the_search_gives(line: str):
    stage = JsonExtraction([Extraction("a", "a"), Extraction("b", "b")])
    slow = LineState(Row(1, {}, {}, line), ParseHints())
    stage._search(slow)
    assert extracted(line, "a", "b") == slow.parsed


@given(_LINES)
def test_the_fast_way_gives_what_the_search_gives_for_any_object(line: str):
    test_the_fast_way_gives_what_the_search_gives(line)


def test_a_plain_line_is_read_by_the_fast_way():
    stage = JsonExtraction([Extraction("x", "a")])
    line = orjson.dumps({"a": 1.25, "b": "é"}).decode()
    assert stage._plain_values(line) == ["1.25"]


@pytest.mark.parametrize(
    ("path", "text"),
    [('["["]', "1"), ('["[a"].b', "2"), ('l["["]', ""), ("l[1]", "7"), ("l[001]", "7")],
)
def test_a_key_with_a_bracket_is_no_index(path: str, text: str):
    stage = JsonExtraction([Extraction("x", path)])
    state = LineState(Row(1, {}, {}, '{"[":1,"[a":{"b":2},"l":[6,7]}'), ParseHints())
    assert stage(state)
    assert state.parsed == {"x": text}


def test_a_missing_path_gives_an_empty_label():
    assert extracted('{"a":1}', "b") == {"b": ""}
