from __future__ import annotations

import pytest

from lokikit.store.logql.logfmt_parser import LogfmtProblem, read_logfmt


def pairs(line: str, *, strict: bool = False) -> list[tuple[str, str]]:
    return list(read_logfmt(line, strict=strict))


def test_pairs_stand_between_white_space():
    assert pairs('a=1 b="x y"\tc= d\x01e=é') == [
        ("a", "1"),
        ("b", "x y"),
        ("c", ""),
        ("d", ""),
        ("e", "é"),
    ]


def test_a_broken_pair_is_left_out_up_to_the_next_space():
    assert pairs('=v a"b=1 c=d=e f=2') == [("f", "2")]


def test_a_key_with_a_rune_that_cannot_be_read_is_left_out():
    assert pairs('a\ufffd="x y" b=1 \ufffd c=\ufffd') == [("b", "1"), ("c", "\ufffd")]


def test_behind_a_quoted_value_that_does_not_read_the_next_pair_begins_at_once():
    assert pairs('a="\\x"b=1') == [("b", "1")]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("é=1 =v", "logfmt syntax error at pos 6 : unexpected '='"),
        ('a="x', "logfmt syntax error at pos 5 : unterminated quoted value"),
        ('a="\\x"', "logfmt syntax error at pos 7 : invalid quoted value"),
        ('a=b"c', "logfmt syntax error at pos 4 : unexpected '\"'"),
        ("é\ufffd=1", "logfmt syntax error at pos 6 : invalid key"),
        ("\ufffd", "logfmt syntax error at pos 4 : invalid key"),
    ],
)
def test_strictly_a_broken_pair_is_a_problem_at_its_byte(line: str, text: str):
    with pytest.raises(LogfmtProblem) as raised:
        pairs(line, strict=True)
    assert str(raised.value) == text


def test_escapes_are_resolved_and_half_pairs_are_replaced():
    assert pairs(r'a="\u00e9\"\ud800\ud83d\ude00"') == [("a", 'é"\ufffd😀')]
