"""Literals and lists that several parts of the grammar share."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, cast

from lokikit.store.logql.lexer import IDENTIFIER, NUMBER, STRING, Token
from lokikit.store.logql.patterns import check_regex
from lokikit.store.logql.pipeline_syntax import Matcher, MatchOp

if TYPE_CHECKING:
    from lokikit.store.logql.cursor import Cursor

MATCH_OPS = ("=", "=~", "!~", "!=")  # in the order of Loki's error texts
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_REGEX_OPS = frozenset({"=~", "!~"})


def parse_text(cursor: Cursor) -> str:
    """Text of a string literal."""
    return str(cursor.expect(STRING).value)


def parse_names(cursor: Cursor) -> tuple[str, ...]:
    """Names of `(a, b)`, `()` included."""
    cursor.expect("(")
    if cursor.kind not in {IDENTIFIER, ")"}:
        raise cursor.unexpected(IDENTIFIER, ")")
    names = []
    while cursor.kind == IDENTIFIER:
        names.append(cursor.advance().text)
        if cursor.kind not in {",", ")"}:
            raise cursor.unexpected(",", ")")
        if cursor.accept(",") and cursor.kind != IDENTIFIER:
            raise cursor.unexpected(IDENTIFIER)
    cursor.expect(")")
    return tuple(names)


def parse_number(cursor: Cursor) -> float:
    """Value of a number with its sign: `5`, `-1e3`, `+.5`."""
    if cursor.accept("-"):
        return -number_of(cursor, cursor.expect(NUMBER))
    cursor.accept("+")
    return number_of(cursor, cursor.expect(NUMBER))


def number_of(cursor: Cursor, token: Token, role: str = "literal") -> float:
    """Value of a number token; an error calls the number `role`, as Loki's does.

    Raises:
        SyntaxProblem: the number is binary, octal, a whole hexadecimal, or too large.
    """
    literal = token.text.replace("_", "").lower()
    try:
        value = float.fromhex(literal) if "p" in literal else float(literal)
    except ValueError:
        raise _bad_number(cursor, token, role, "invalid syntax") from None
    if math.isinf(value):
        raise _bad_number(cursor, token, role, "value out of range")
    return value


def _bad_number(cursor: Cursor, token: Token, role: str, why: str) -> Exception:
    return cursor.refusal(
        token,
        f'unable to parse {role} as a float: strconv.ParseFloat: parsing "{token.text}": {why}',
    )


def parse_matcher(cursor: Cursor) -> Matcher:
    """`name="value"` with one of the four operators; a regular expression is checked.

    Raises:
        SyntaxProblem: the regular expression is not RE2's.
    """
    name = cursor.expect(IDENTIFIER).text
    op = cursor.expect(*MATCH_OPS).text
    value = cursor.expect(STRING)
    return matcher_of(cursor, name, op, value)


def matcher_of(cursor: Cursor, name: str, op: str, value: Token) -> Matcher:
    """A matcher of its parts.

    Raises:
        SyntaxProblem: the regular expression is not RE2's.
    """
    if op in _REGEX_OPS:
        require_regex(cursor, value)
    if not _LABEL_NAME.fullmatch(name):
        cursor.foreign_names.append((value, name))
    return Matcher(name, cast("MatchOp", op), str(value.value))


def require_regex(cursor: Cursor, token: Token, prefix: str = "") -> None:
    """Check the regular expression of a string token.

    Raises:
        SyntaxProblem: RE2 does not take it; the text is Loki's, behind the prefix.
    """
    why = check_regex(str(token.value))
    if why:
        raise cursor.refusal(token, prefix + why)
