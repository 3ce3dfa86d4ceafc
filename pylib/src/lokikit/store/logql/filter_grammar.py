"""Label filters: `a="b" and (c > 5 or d <= 20MB), e != ip("10.0.0.0/8")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from lokikit.store.logql.lexer import BYTES, DURATION, IDENTIFIER, NUMBER, STRING
from lokikit.store.logql.literals import matcher_of, parse_number, parse_text
from lokikit.store.logql.pipeline_syntax import (
    AndFilter,
    BytesFilter,
    CompareOp,
    DurationFilter,
    IpFilter,
    LabelFilter,
    NumberFilter,
    OrFilter,
    StringFilter,
)

if TYPE_CHECKING:
    from lokikit.store.logql.cursor import Cursor

_STRENGTH = {"or": 1, "and": 2}
_OPERATORS = frozenset({"=", "==", "!=", "=~", "!~", ">", ">=", "<", "<="})
_TEXT_OPERATORS = frozenset({"=", "!=", "=~", "!~"})
_IP_OPERATORS = frozenset({"=", "!="})
_SIGNS = frozenset({NUMBER, "-", "+"})


def parse_label_filter(cursor: Cursor, strength: int = 1) -> LabelFilter:
    """The filter at the cursor.

    `and` binds closer than `or`, both from left to right. A comma or a space takes all that
    follows as its right side, as a running Loki does (its page says from left to right).

    Args:
        cursor: at the name of a label, or at a parenthesis.
        strength: operators that bind less are left to the caller.
    """
    left = _operand(cursor)
    while True:
        if cursor.kind == "," or cursor.kind in {IDENTIFIER, "("}:
            cursor.accept(",")
            cursor.count_operation()
            left = AndFilter(left, parse_label_filter(cursor))
            continue
        found = _STRENGTH.get(cursor.kind, 0)
        if found < strength:
            return left
        cursor.advance()
        cursor.count_operation()
        right = parse_label_filter(cursor, found + 1)
        left = OrFilter(left, right) if found == 1 else AndFilter(left, right)


def _operand(cursor: Cursor) -> LabelFilter:
    if cursor.accept("("):
        inner = parse_label_filter(cursor)
        if not cursor.accept(")"):
            raise cursor.unexpected()
        return inner
    name = cursor.expect(IDENTIFIER, "(").text
    if cursor.kind not in _OPERATORS:
        raise cursor.unexpected()
    return _comparison(cursor, name, cursor.advance().text)


def _comparison(cursor: Cursor, name: str, op: str) -> LabelFilter:
    kind = cursor.kind
    if op in {"=~", "!~"} and kind != STRING:
        raise cursor.unexpected(STRING)
    if kind == STRING and op in _TEXT_OPERATORS:
        return StringFilter(matcher_of(cursor, name, op, cursor.advance()))
    if kind == "ip" and op in _IP_OPERATORS:
        return IpFilter(name, cast("Literal['=', '!=']", op), parse_ip(cursor))
    compare = cast("CompareOp", "==" if op == "=" else op)
    if kind == DURATION:
        return DurationFilter(name, compare, int(cursor.advance().value))
    if kind == BYTES:
        return BytesFilter(name, compare, int(cursor.advance().value))
    if kind in _SIGNS:
        return NumberFilter(name, compare, parse_number(cursor))
    raise cursor.unexpected()


def parse_ip(cursor: Cursor) -> str:
    """Pattern of `ip("…")`."""
    cursor.expect("ip")
    cursor.expect("(")
    pattern = parse_text(cursor)
    cursor.expect(")")
    return pattern
