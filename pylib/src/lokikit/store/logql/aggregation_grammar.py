"""Range aggregations with their log ranges, and vector aggregations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from lokikit.store.logql.lexer import (
    COUNTS,
    DURATION,
    GROUPED,
    NUMBER,
    RANGE,
    RANKED,
    SORTING,
    Token,
)
from lokikit.store.logql.literals import number_of, parse_names
from lokikit.store.logql.pipeline_grammar import parse_matchers, parse_stages, parse_unwrap
from lokikit.store.logql.syntax import (
    Grouping,
    LogExpression,
    LogRange,
    RangeAggregation,
    SampleExpression,
    Unwrap,
    VectorAggregation,
)

if TYPE_CHECKING:
    from lokikit.store.logql.cursor import Cursor

_UNWRAP_OR_NOT = frozenset({"rate", "absent_over_time"})
_MAX_DIGITS = 18


def parse_range_aggregation(cursor: Cursor) -> RangeAggregation:
    """`count_over_time({…}[5m])` and the like, with the checks that Loki makes.

    Raises:
        SyntaxProblem: a parameter, grouping or unwrap is missing or out of place.
    """
    name = cursor.advance()
    cursor.expect("(")
    if cursor.kind not in {NUMBER, "{", "("}:
        raise cursor.unexpected(NUMBER, "{", "(")
    parameter = cursor.accept(NUMBER)
    if parameter:
        cursor.expect(",")
        if cursor.kind not in {"{", "("}:
            raise cursor.unexpected("{", "(")
    log_range = _log_range(cursor)
    cursor.expect(")")
    grouping = _grouping(cursor)
    _check_range_aggregation(cursor, name, parameter, grouping, log_range.unwrap)
    value = None if parameter is None else number_of(cursor, parameter)
    return RangeAggregation(name.text, log_range, value, grouping)


def _check_range_aggregation(
    cursor: Cursor,
    name: Token,
    parameter: Token | None,
    grouping: Grouping | None,
    unwrap: Unwrap | None,
) -> None:
    op, why = name.text, ""
    if parameter and op != "quantile_over_time":
        why = f"parameter {parameter.text} not supported for operation {op}"
    elif not parameter and op == "quantile_over_time":
        why = f"parameter required for operation {op}"
    elif grouping and op not in GROUPED:
        why = f"grouping not allowed for {op} aggregation"
    elif unwrap and op in COUNTS:
        why = f"invalid aggregation {op} with unwrap"
    elif not unwrap and op not in COUNTS | _UNWRAP_OR_NOT:
        why = f"invalid aggregation {op} without unwrap"
    if why:
        raise cursor.refusal(name, why)


class _Span(NamedTuple):
    """The times of a log range."""

    range_ns: int
    offset_ns: int


def _log_range(cursor: Cursor) -> LogRange:
    """A log query with its range behind the selector, the pipeline, or a parenthesis."""
    if not cursor.accept("("):
        query, span, unwrap = _ranged(cursor)
        if span is None:
            raise cursor.unexpected(*([RANGE, "|"] if unwrap else []))
        return LogRange(query, *span, unwrap)
    if cursor.kind == "(":
        inner = _log_range(cursor)
        cursor.expect(")")
        return inner
    query, span, unwrap = _ranged(cursor)
    if not cursor.accept(")"):
        raise cursor.unexpected()
    if span is not None:
        return LogRange(query, *span, unwrap)
    if cursor.kind != RANGE:
        raise cursor.unexpected(RANGE)
    span = _span(cursor)
    if not (query.stages or unwrap) and cursor.kind == "|":
        unwrap = _required_unwrap(cursor)
    return LogRange(query, *span, unwrap)


def _required_unwrap(cursor: Cursor) -> Unwrap:
    unwrap = parse_unwrap(cursor)
    if unwrap is None:
        cursor.advance()
        raise cursor.unexpected("unwrap")
    return unwrap


def _ranged(cursor: Cursor) -> tuple[LogExpression, _Span | None, Unwrap | None]:
    """A selector, and pipeline and range in either order; the range may be absent."""
    matchers = parse_matchers(cursor)
    span = _span(cursor) if cursor.kind == RANGE else None
    query = LogExpression(matchers, parse_stages(cursor))
    unwrap = parse_unwrap(cursor)
    if span is None and cursor.kind == RANGE:
        span = _span(cursor)
    return query, span, unwrap


def _span(cursor: Cursor) -> _Span:
    range_ns = int(cursor.expect(RANGE).value)
    if not cursor.accept("offset"):
        return _Span(range_ns, 0)
    return _Span(range_ns, int(cursor.expect(DURATION).value))


def _grouping(cursor: Cursor) -> Grouping | None:
    if cursor.kind not in {"by", "without"}:
        return None
    without = cursor.advance().kind == "without"
    return Grouping(parse_names(cursor), without)


def parse_vector_aggregation(
    cursor: Cursor, parse_operand: Callable[[Cursor], SampleExpression]
) -> VectorAggregation:
    """`sum by (a) (…)`, `topk(5, …) without (b)` and the like, from the cursor at its name.

    Raises:
        SyntaxProblem: a parameter or grouping is missing or out of place.
    """
    name = cursor.advance()
    grouping = _grouping(cursor)
    cursor.expect("(")
    parameter = None
    if cursor.kind == NUMBER and cursor.follows(","):
        parameter = cursor.advance()
        cursor.advance()
    operand = parse_operand(cursor)
    if not cursor.accept(")"):
        raise cursor.unexpected()
    if grouping and cursor.kind in {"by", "without"}:
        raise cursor.unexpected()
    grouping = grouping or _grouping(cursor)
    _check_vector_aggregation(cursor, name, parameter, grouping)
    value = None if parameter is None else float(int(parameter.text))
    if grouping and not (grouping.labels or grouping.without):
        grouping = None  # `by ()` groups all series together, as no grouping does
    return VectorAggregation(name.text, operand, value, grouping)


def _check_vector_aggregation(
    cursor: Cursor, name: Token, parameter: Token | None, grouping: Grouping | None
) -> None:
    op, why = name.text, ""
    if op in RANKED:
        why = _parameter_problem(op, parameter)
    elif parameter:
        why = f"unsupported parameter for operation {op}({parameter.text},"
    elif op in SORTING and grouping and grouping.labels:
        why = "sort and sort_desc doesn't allow grouping by "
    if op == "approx_topk" and not why:
        why = f"{'grouping not allowed for ' if grouping else ''}{op} is not supported"
    if why:
        raise cursor.refusal(name, why)


def _parameter_problem(op: str, parameter: Token | None) -> str:
    if parameter is None:
        return f"parameter required for operation {op}"
    if not parameter.text.isdecimal() or len(parameter.text) > _MAX_DIGITS:
        return f"invalid parameter {op}({parameter.text},"
    if int(parameter.text) == 0:
        return f"invalid parameter (must be greater than 0) {op}({parameter.text}"
    return ""
