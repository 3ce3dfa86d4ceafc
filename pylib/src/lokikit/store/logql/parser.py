"""Text of a query to its tree: `parse_query`, `parse_log_query`, `parse_selector`.

Whatever a running Loki refuses while it reads a query is refused here with its words and, in the
error's `line` and `column`, with its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lokikit.store.errors import QueryError
from lokikit.store.logql.aggregation_grammar import (
    parse_range_aggregation,
    parse_vector_aggregation,
)
from lokikit.store.logql.cursor import Cursor
from lokikit.store.logql.lexer import (
    CALL,
    END,
    NUMBER,
    RANGE_FUNCTIONS,
    STRING,
    VECTOR_FUNCTIONS,
    Token,
)
from lokikit.store.logql.literals import number_of, parse_names, parse_number
from lokikit.store.logql.operators import SET_OPERATORS, STRENGTH, fold, groups_right
from lokikit.store.logql.patterns import check_regex, matches_empty
from lokikit.store.logql.pipeline_grammar import parse_matchers, parse_stages
from lokikit.store.logql.syntax import (
    BinaryOperation,
    Expression,
    LabelReplace,
    LogExpression,
    Number,
    SampleExpression,
    VectorFunction,
    VectorMatching,
)

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher

_NEEDS_MATCHER = (
    "queries require at least one regexp or equality matcher that does not have an "
    'empty-compatible value. For instance, app=~".*" does not meet this requirement, '
    'but app=~".+" will'
)


def parse_query(text: str) -> Expression:
    """The tree of a log or metric query.

    Raises:
        SyntaxProblem: Loki refuses the text, or the store does not support a part of it.
    """
    return read(Cursor(text))


def parse_runnable(text: str) -> Expression:
    """The tree of a query that is to run.

    Raises:
        SyntaxProblem: as `parse_query`, and for a matcher on a name that is no plain label; Loki
            formats such a query, and does not run it.
    """
    cursor = Cursor(text)
    expression = read(cursor)
    check_names(cursor)
    return expression


def check_names(cursor: Cursor) -> None:
    """Check the labels of matchers, of what `read` has read.

    Raises:
        SyntaxProblem: a name is no plain label.
    """
    for value, name in cursor.foreign_names:
        raise cursor.refusal(value, f"the name {name} of a matcher is not [a-zA-Z_][a-zA-Z0-9_]*")


def read(cursor: Cursor) -> Expression:
    """The tree of all of a cursor's text, which collects the places of the stages.

    Raises:
        SyntaxProblem: as `parse_query`.
    """
    try:
        expression = _expression(cursor, 1)
    except RecursionError:
        raise cursor.refusal(cursor.current, "the query is nested too deeply") from None
    if cursor.kind != END:
        raise cursor.unexpected()
    _check_selectors(cursor)
    _check_line_filters(cursor)
    return expression


def _check_selectors(cursor: Cursor) -> None:
    for start, matchers in cursor.selectors:
        if not any(_is_narrow(matcher) for matcher in matchers):
            raise cursor.refusal(start, _NEEDS_MATCHER)


def _is_narrow(matcher: Matcher) -> bool:
    """True when the matcher refuses the empty value, which an absent label has."""
    if matcher.op in {"=", "!="}:
        return (matcher.value == "") == (matcher.op == "!=")
    return matches_empty(matcher.value) == (matcher.op == "!~")


def _check_line_filters(cursor: Cursor) -> None:
    for start, line_filter in cursor.regexes:
        for operand in line_filter.operands:
            why = "" if operand.is_ip else check_regex(operand.text)
            if why:
                raise cursor.refusal(start, f"stage '{line_filter}' : {why}")


def parse_log_query(text: str) -> LogExpression:
    """The tree of a log query.

    Raises:
        QueryError: as `parse_runnable`, and for a metric query.
    """
    expression = parse_runnable(text)
    if not isinstance(expression, LogExpression):
        raise QueryError("only log selector is supported")
    return expression


def parse_selector(text: str, *, allows_all: bool = False) -> tuple[Matcher, ...]:
    """The matchers of `{a="b"}`, and with `allows_all` of `{}`; for `match[]` and the index.

    Raises:
        QueryError: the text is something else, or no matcher narrows the streams down.
    """
    cursor = Cursor(text)
    if allows_all and cursor.kind == "{" and cursor.follows("}"):
        return ()
    expression = parse_query(text)
    if not isinstance(expression, LogExpression) or expression.stages:
        raise QueryError("only label matchers are supported")
    return expression.matchers


def _expression(cursor: Cursor, strength: int) -> Expression:
    """Operators of at least that strength and their operands; only `^` groups to the right."""
    left = _operand(cursor)
    while (found := STRENGTH.get(cursor.kind, 0)) >= strength:
        token = cursor.advance()
        cursor.count_operation()
        returns_bool = cursor.accept("bool") is not None
        matching = _matching(cursor)
        right = _expression(cursor, found + (not groups_right(token.kind)))
        left = _operation(cursor, token, left, right, matching, returns_bool=returns_bool)
    return left


def _operation(  # noqa: PLR0913 - the parts of an operation
    cursor: Cursor,
    token: Token,
    left: Expression,
    right: Expression,
    matching: VectorMatching | None,
    *,
    returns_bool: bool,
) -> SampleExpression:
    op = token.kind
    for side, leg in (("left", left), ("right", right)):
        why = _refused_leg(op, side, leg)
        if why:
            raise cursor.refusal(token, why)
    assert not isinstance(left, LogExpression)  # noqa: S101 - refused above
    assert not isinstance(right, LogExpression)  # noqa: S101 - refused above
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(fold(op, left.value, right.value))
    return BinaryOperation(op, left, right, returns_bool, matching)


def _refused_leg(op: str, side: str, leg: Expression) -> str:
    if isinstance(leg, LogExpression):
        kind = "PipelineExpr" if leg.stages else "MatchersExpr"
        return f"unexpected type for {side} leg of binary operation ({op}): *syntax.{kind}"
    if op in SET_OPERATORS and isinstance(leg, Number):
        return (
            f"unexpected literal for {side} leg of logical/set binary operation "
            f"({op}): {leg.value:f}"
        )
    return ""


def _matching(cursor: Cursor) -> VectorMatching | None:
    if cursor.kind not in {"on", "ignoring"}:
        return None
    on = cursor.advance().kind == "on"
    labels = parse_names(cursor)
    group: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()
    if cursor.kind in {"group_left", "group_right"}:
        group = "left" if cursor.advance().kind == "group_left" else "right"
        include = _include(cursor)
    if not (on or labels or group):
        return None
    return VectorMatching(labels, on, group, include)


def _include(cursor: Cursor) -> tuple[str, ...]:
    """Labels of `group_left (a)`; a parenthesis there is always the list."""
    return parse_names(cursor) if cursor.kind == "(" else ()


def _operand(cursor: Cursor) -> Expression:
    kind = cursor.kind
    if kind == "{":
        return _log_query(cursor)
    if kind == CALL:
        return _call(cursor)
    if kind == NUMBER or kind in {"+", "-"}:
        return Number(parse_number(cursor))
    if kind == "variants":
        raise cursor.refusal(cursor.current, "variants is not supported")
    if kind != "(":
        raise cursor.unexpected()
    cursor.advance()
    inner = _expression(cursor, 1)
    if not cursor.accept(")"):
        raise cursor.unexpected()
    return inner


def _log_query(cursor: Cursor) -> LogExpression:
    query = LogExpression(parse_matchers(cursor), parse_stages(cursor))
    if cursor.kind == "|":
        cursor.advance()
        raise cursor.unexpected()  # `unwrap`, which only a log range takes
    return query


def _call(cursor: Cursor) -> SampleExpression:
    name = cursor.current.text
    if name in RANGE_FUNCTIONS:
        return parse_range_aggregation(cursor)
    if name in VECTOR_FUNCTIONS:
        return parse_vector_aggregation(cursor, _samples)
    return _vector(cursor) if name == "vector" else _label_replace(cursor)


def _samples(cursor: Cursor) -> SampleExpression:
    """The expression at the cursor, which must not be a log query."""
    expression = _expression(cursor, 1)
    if isinstance(expression, LogExpression):
        raise cursor.unexpected()
    return expression


def _vector(cursor: Cursor) -> VectorFunction:
    cursor.advance()
    cursor.expect("(")
    value = number_of(cursor, cursor.expect(NUMBER), "vectorExpr")
    cursor.expect(")")
    return VectorFunction(value)


def _label_replace(cursor: Cursor) -> LabelReplace:
    cursor.advance()
    cursor.expect("(")
    operand = _samples(cursor)
    texts: list[Token] = []
    for _ in range(4):
        if not cursor.accept(","):
            raise cursor.unexpected(*([","] if texts else []))
        texts.append(cursor.expect(STRING))
    cursor.expect(")")
    why = check_regex(f"^(?:{texts[3].value})$")
    if why:
        raise cursor.refusal(texts[3], f"invalid regex in label_replace: {why}")
    target, replacement, source, pattern = (str(token.value) for token in texts)
    return LabelReplace(operand, target, replacement, source, pattern)
