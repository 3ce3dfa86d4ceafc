from __future__ import annotations

import pytest

from lokikit.store.logql.json_scanner import (
    BAD_ESCAPE,
    JsonProblem,
    block_end,
    members,
    read_value,
    unescape,
)


def test_a_block_ends_at_its_own_delimiter():
    assert block_end('{"a":"}","b":{}} x', 0, 18) == 16


def test_a_block_without_end_ends_nowhere():
    assert block_end('{"a":"x}', 0, 8) == -1


def test_a_block_of_one_kind_ignores_the_other():
    assert block_end("[}]", 0, 3) == 3


def test_ends_of_inner_blocks_are_remembered():
    known: dict[int, int] = {}
    assert block_end('{"a":{"b":{}},"c":"}"}', 0, 22, known) == 22
    assert known == {0: 22, 5: 13, 10: 12}
    assert block_end("none of it is read again", 5, 22, known) == 13


@pytest.mark.parametrize("text", ["01", "1x", "-", "0x1F", "1.", "1e999"])
def test_whatever_begins_like_a_number_is_taken_as_it_stands(text: str):
    assert read_value(f" {text},", 0, len(text) + 2) == ("scalar", text, len(text) + 1)


@pytest.mark.parametrize("text", ["tru", "NULL", "+1", ".5", "undefined", "'a'", "x"])
def test_other_words_are_no_value(text: str):
    with pytest.raises(JsonProblem, match="Unknown value type"):
        read_value(text, 0, len(text))


def test_members_stop_at_the_closing_brace():
    line = '{"a":1} {"b":2}'
    assert [key for key, *_ in members(line, 0, len(line))] == ["a"]


def test_members_before_a_break_are_given():
    line = '{"a":1,"b" 2}'
    walk = members(line, 0, len(line))
    assert next(walk)[0] == "a"
    with pytest.raises(JsonProblem):
        next(walk)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"\u00e9\n\/", "é\n/"),
        (r"\ud83d\ude00", "😀"),
        (r"\udc00\udc00", "\ufffd"),
        (r"\ud800\ue000", "\U00010400"),
        ("plain", "plain"),
    ],
)
def test_escapes_stand_for_what_loki_makes_of_them(raw: str, text: str):
    assert unescape(raw) == text


@pytest.mark.parametrize("raw", [r"\x", r"\u12", r"\ud800", r"\ud800x", "\\"])
def test_escapes_that_are_none_are_a_problem(raw: str):
    with pytest.raises(JsonProblem, match=BAD_ESCAPE):
        unescape(raw)
