from __future__ import annotations

import pytest

from lokikit.store.logql.lexer import END, Token, position, scan


def tokenize(text: str) -> list[Token]:
    """The tokens of a text without malformed literals."""
    tokens, problem = scan(text)
    assert problem is None
    return tokens


def kinds(text: str) -> list[str]:
    """The kinds of all tokens but the last."""
    tokens = tokenize(text)
    assert tokens[-1].kind == END
    return [token.kind for token in tokens[:-1]]


def value(text: str) -> str | int:
    """The value of the only token."""
    token, _ = tokenize(text)
    return token.value


def test_tokens_know_their_offset() -> None:
    """Spaces, comments and line ends are between the tokens."""
    tokens = tokenize('{a="b"}\n  |= # c\n `x`')
    assert [token.offset for token in tokens] == [0, 1, 2, 3, 6, 10, 18, 21]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{a="b\0"}', "invalid character NUL"),
        ("# \0", "invalid character NUL"),
        ('{a="\udcff"}', "invalid UTF-8 encoding"),
    ],
)
def test_characters_that_go_does_not_read_are_problems(text: str, message: str) -> None:
    """Wherever they stand; bytes that are no UTF-8 are surrogates here."""
    tokens, problem = scan(text)
    assert not tokens
    assert problem is not None
    assert message in str(problem)


@pytest.mark.parametrize("text", ["0or", "0x", "0b"])
def test_a_base_without_digits_is_a_problem(text: str) -> None:
    """As in `a > 0or b > 1`, to Go's scanner."""
    assert "literal has no digits" in str(scan(text)[1])


def test_a_byte_order_mark_at_the_begin_is_skipped() -> None:
    """Behind the begin it is a character like others."""
    assert kinds("\ufeffby") == ["by"]
    assert kinds("by\ufeff") == ["by", "IDENTIFIER"]


@pytest.mark.parametrize(("text", "count"), [("aé٣", 1), ("a²", 2), ("Ⅷa", 2), ("½", 1)])
def test_words_have_the_letters_and_digits_of_go(text: str, count: int) -> None:
    """Other numbers of Unicode stand alone."""
    assert kinds(text) == ["IDENTIFIER"] * count


@pytest.mark.parametrize(
    ("offset", "where"), [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (5, (2, 3)), (6, (3, 1))]
)
def test_positions_begin_at_one(offset: int, where: tuple[int, int]) -> None:
    """A line end belongs to the line that it ends."""
    assert position("ab\ncd\n", offset) == where


@pytest.mark.parametrize(
    "text", ["# all", "// all", "/* a\nb */", "  \t\r\n", "# a\n# b", "/* # */ // x"]
)
def test_comments_and_spaces_are_no_tokens(text: str) -> None:
    """All three forms of comments that Loki's scanner skips."""
    assert kinds(text) == []


@pytest.mark.parametrize(
    "text", ["|=", "!=", "|~", "!~", "|>", "!>", "=~", "==", ">=", "<=", *"{}()=<>|,+-*/%^."]
)
def test_operators_are_their_own_kind(text: str) -> None:
    """The longest operator wins."""
    assert kinds(text) == [text]


def test_keywords_are_lower_cased() -> None:
    """Keywords are the same in any case; names of labels are not."""
    assert kinds("BY Json a OR") == ["by", "json", "IDENTIFIER", "or"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("rate(", "call"),
        ("rate (", "call"),
        ("rate # c\n(", "call"),
        ("sum by (", "call"),
        ("SUM WITHOUT(", "call"),
        ("ip(", "ip"),
        ("duration(", "conversion"),
        ("rate", "IDENTIFIER"),
        ("rate >", "IDENTIFIER"),
        ("sum bytes", "IDENTIFIER"),
        ("duration", "IDENTIFIER"),
        ("foo(", "IDENTIFIER"),
    ],
)
def test_names_of_functions_need_a_parenthesis(text: str, kind: str) -> None:
    """Elsewhere these words are names of labels."""
    assert kinds(text)[0] == kind


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"a b"', "a b"),
        ('`a\\n"b`', 'a\\n"b'),
        ("`a\nb`", "a\nb"),
        ('"# no comment"', "# no comment"),
        (r'"\n\t\\\"\a\b\f\r\v"', '\n\t\\"\a\b\f\r\v'),
        (r'"\x41\101\u00e9\U0001F600"', "AAé😀"),
        (r'"\xc3\xa9"', "é"),
        (r'"\xff"', "\udcff"),
        (r'"\ud800"', "\N{REPLACEMENT CHARACTER}"),
        ('""', ""),
    ],
)
def test_strings_are_unquoted(text: str, found: str) -> None:
    """Go's escapes in double quotes, none in backticks."""
    assert value(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"a', "literal not terminated"),
        ("`a", "literal not terminated"),
        ("'ab'", "invalid char literal"),
        ("/* a", "comment not terminated"),
        ("'a", "literal not terminated"),
        ('"a\nb"', "literal not terminated"),
        (r'"\d"', "invalid char escape"),
        (r'"\'"', "invalid char escape"),
        (r'"\u12"', "invalid char escape"),
        (r'"\U00110000"', "invalid char escape"),
        (r'"\400"', "invalid syntax"),
        ("[5m", "missing closing ']' in duration"),
        ("[]", "empty duration string"),
        ("[5]", 'not a valid duration string: "5"'),
        ("[5m:1m]", 'unknown unit "m:" in duration "5m:1m"'),
        ("1e", "exponent has no digits"),
        ("1_", "'_' must separate successive digits"),
        ("1__0", "'_' must separate successive digits"),
    ],
)
def test_malformed_literals_are_refused_where_they_begin(text: str, message: str) -> None:
    """The column is that of the literal's first character."""
    tokens, problem = scan(f"a {text}")
    assert [token.text for token in tokens] == ["a"]
    assert problem
    assert (problem.problem, problem.column) == (message, 3)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5m", [("DURATION", 300_000_000_000)]),
        ("1.5h", [("DURATION", 5_400_000_000_000)]),
        ("1d12h", [("DURATION", 129_600_000_000_000)]),
        ("-5s", [("DURATION", -5_000_000_000)]),
        ("-.5s", [("DURATION", -500_000_000)]),
        ("5µs", [("DURATION", 5000)]),
        ("-5", [("-", ""), ("NUMBER", "")]),
        ("-1d", [("-", ""), ("DURATION", 86_400_000_000_000)]),
        ("5KiB", [("BYTES", 5120)]),
        ("5kB", [("BYTES", 5000)]),
        ("1.5M", [("BYTES", 1_500_000)]),
        ("5.5d", [("NUMBER", ""), ("IDENTIFIER", "")]),
        ("5mb", [("NUMBER", ""), ("IDENTIFIER", "")]),
        ("1e-9", [("NUMBER", "")]),
        ("1_000", [("NUMBER", "")]),
        (".5", [("NUMBER", "")]),
        ("[1w]", [("RANGE", 604_800_000_000_000)]),
    ],
)
def test_quantities_are_told_apart(text: str, found: list[tuple[str, str | int]]) -> None:
    """By their units; only Go's durations take a minus."""
    assert [(token.kind, token.value) for token in tokenize(text)[:-1]] == found


def test_flags_are_one_token() -> None:
    """Other words behind two dashes are no flags."""
    assert kinds("--strict --keep-empty --stricter") == [
        "FUNCTION_FLAG",
        "FUNCTION_FLAG",
        "-",
        "-",
        "IDENTIFIER",
    ]


@pytest.mark.parametrize("text", ["'a'", "$", ";", "&", "@", ":", "~"])
def test_other_characters_are_names(text: str) -> None:
    """As Loki reads them."""
    assert kinds(text) == ["IDENTIFIER"]
