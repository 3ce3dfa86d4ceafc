from __future__ import annotations

import pytest

from lokikit.store.errors import QueryError
from lokikit.store.logql.json_expression import parse_key, parse_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b[0]", ("a", "b", "[0]")),
        ('["a b"]["c"].d', ("a b", "c", "d")),
        (" a . b ", ("a", "b")),
        ("[07]", ("[7]",)),
        ('[""]', ("",)),
        ('["["].a["b[c"]', ("[", "a", "b[c")),
    ],
)
def test_steps_of_a_path(text: str, path: tuple[str, ...]):
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.",
        ".a",
        "a..b",
        "a-b",
        "1a",
        "a[",
        "a[x]",
        "a[-1]",
        "a[0]b",
        "a.[0]",
        "['a']",
        "é",
        '["]"]',
        '["\0"]',
    ],
)
def test_other_texts_are_refused(text: str):
    with pytest.raises(QueryError, match="cannot parse expression"):
        parse_path(text)


def test_an_index_of_thousands_of_digits_is_refused():
    with pytest.raises(QueryError, match="cannot parse expression"):
        parse_path(f"a[{'9' * 5000}]")
    assert parse_path(f"a[{'0' * 5000}1]") == ("a", "[1]")


@pytest.mark.parametrize("text", ["k", '"k"', " k ", '"k', ' "k" '])
def test_a_key_of_logfmt(text: str):
    assert parse_key(text) == "k"


@pytest.mark.parametrize(
    ("text", "key"), [('"a-b"', "a-b"), ('"1a', "1a"), ('""', ""), ('a"', 'a"'), ('"a""b"', 'a""b')]
)
def test_a_quoted_key_of_logfmt_may_be_anything(text: str, key: str):
    assert parse_key(text) == key


@pytest.mark.parametrize("text", ["", " ", "a b", "a.b", "1a", '"a"b'])
def test_other_keys_are_refused(text: str):
    with pytest.raises(QueryError, match="cannot parse expression"):
        parse_key(text)
