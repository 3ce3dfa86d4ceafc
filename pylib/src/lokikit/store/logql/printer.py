"""Trees as text: on one line where that fits, else laid out as Loki's `format_query` does.

The text reads back as the same tree. Where Loki's own text does not (sizes rounded to one place,
numbers cut to six places, `on ()` left out of long queries), the exact text is written instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from typing import TYPE_CHECKING

from lokikit.store.logql.operators import STRENGTH, groups_right
from lokikit.store.logql.quoting import quote, write_fixed, write_literal
from lokikit.store.logql.syntax import (
    BinaryOperation,
    Expression,
    Grouping,
    LabelReplace,
    LogExpression,
    LogRange,
    Number,
    RangeAggregation,
    Unwrap,
    VectorAggregation,
    VectorFunction,
    VectorMatching,
)
from lokikit.store.logql.units import format_duration, format_range

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher

_MAX_COLUMNS = 100
_INDENT = "  "


def print_query(expression: Expression, depth: int = 0) -> str:
    """Canonical text of a tree, with `depth` levels of indentation in front."""
    line = _write_line(expression)
    if len(line) <= _MAX_COLUMNS:
        return _INDENT * depth + line
    return _write_lines(expression, depth)


def _selector(matchers: Iterable[Matcher]) -> str:
    return f"{{{', '.join(map(str, matchers))}}}"


@singledispatch
def _write_line(expression: Expression) -> str:
    """Text of a tree on one line."""
    raise TypeError(f"no LogQL expression: {expression!r}")


@_write_line.register
def _(query: LogExpression) -> str:
    return " ".join([_selector(query.matchers), *map(str, query.stages)])


@_write_line.register
def _(operation: RangeAggregation) -> str:
    log_range = operation.log_range
    query = " ".join([_write_line(log_range.query), *_unwrap_stages(log_range.unwrap)])
    inner = f"{query}[{format_range(log_range.range_ns)}]"
    if log_range.offset_ns:
        inner += f" offset {format_duration(log_range.offset_ns)}"
    return f"{operation.op}({_parameter(operation)}{inner}){_grouping(operation.grouping, ',')}"


@_write_line.register
def _(operation: VectorAggregation) -> str:
    grouping = _grouping(operation.grouping, ",")
    return f"{operation.op}{grouping}({_parameter(operation)}{_write_line(operation.operand)})"


@_write_line.register
def _(operation: BinaryOperation) -> str:
    right = _write_line(operation.right)
    return f"({_write_line(operation.left)} {_operator(operation, ',', right)} {right})"


@_write_line.register
def _(number: Number) -> str:
    return write_literal(number.value)


@_write_line.register
def _(function: VectorFunction) -> str:
    fixed = f"{function.value:f}"
    return f"vector({fixed if float(fixed) == function.value else write_literal(function.value)})"


@_write_line.register
def _(replacement: LabelReplace) -> str:
    return f"label_replace({','.join([_write_line(replacement.operand), *_texts(replacement)])})"


@singledispatch
def _write_lines(expression: Expression, depth: int) -> str:
    """Text of a tree on several lines."""
    return _INDENT * depth + _write_line(expression)


@_write_lines.register
def _(query: LogExpression, depth: int) -> str:
    return _stacked(_INDENT * depth + _selector(query.matchers), map(str, query.stages), depth)


def _stacked(first: str, stages: Iterable[str], depth: int) -> str:
    return "\n".join([first, *(_INDENT * (depth + 1) + stage for stage in stages)])


@_write_lines.register
def _(operation: RangeAggregation, depth: int) -> str:
    parts = [*_own_line(operation, depth + 1), _write_range(operation.log_range, depth + 1)]
    return _call(operation.op, parts, depth) + _grouping(operation.grouping, ", ")


def _own_line(operation: RangeAggregation | VectorAggregation, depth: int) -> list[str]:
    """The line of the parameter, if the operation has a parameter."""
    parameter = operation.parameter
    return [] if parameter is None else [_INDENT * depth + write_fixed(parameter)]


def _write_range(log_range: LogRange, depth: int) -> str:
    text = _stacked(print_query(log_range.query, depth), _unwrap_stages(log_range.unwrap), depth)
    text += f" [{format_range(log_range.range_ns)}]"
    if not log_range.offset_ns:
        return text
    return f"{text} offset {_short_offset(log_range.offset_ns)}"


def _short_offset(offset_ns: int) -> str:
    """An offset as ranges are written; with a minus the grammar has no days, weeks and years."""
    text = format_range(offset_ns)
    return format_duration(offset_ns) if offset_ns < 0 and set("dwy") & set(text) else text


@_write_lines.register
def _(operation: VectorAggregation, depth: int) -> str:
    parts = [*_own_line(operation, depth + 1), print_query(operation.operand, depth + 1)]
    return _call(operation.op + _grouping(operation.grouping, ", "), parts, depth)


@_write_lines.register
def _(operation: BinaryOperation, depth: int) -> str:
    """The operator stands on a line of its own."""
    op = operation.op
    left = _write_leg(operation.left, depth + 1, STRENGTH[op] + groups_right(op))
    right = _write_leg(operation.right, depth + 1, STRENGTH[op] + (not groups_right(op)))
    return f"{left}\n{_INDENT * depth}{_operator(operation, ', ', right)}\n{right}"


def _write_leg(leg: Expression, depth: int, strength: int) -> str:
    """A side of an operation, in parentheses where it binds less than that strength."""
    text = print_query(leg, depth)
    if not isinstance(leg, BinaryOperation) or STRENGTH[leg.op] >= strength or "\n" not in text:
        return text
    return f"{_INDENT * depth}(\n{print_query(leg, depth + 1)}\n{_INDENT * depth})"


@_write_lines.register
def _(replacement: LabelReplace, depth: int) -> str:
    texts = [_INDENT * (depth + 1) + text for text in _texts(replacement)]
    return _call("label_replace", [print_query(replacement.operand, depth + 1), *texts], depth)


def _call(head: str, parts: Iterable[str], depth: int) -> str:
    inner = ",\n".join(parts)
    return f"{_INDENT * depth}{head}(\n{inner}\n{_INDENT * depth})"


def _texts(replacement: LabelReplace) -> list[str]:
    texts = (replacement.target, replacement.replacement, replacement.source, replacement.pattern)
    return list(map(quote, texts))


def _unwrap_stages(unwrap: Unwrap | None) -> list[str]:
    if unwrap is None:
        return []
    label = f"{unwrap.conversion}({unwrap.label})" if unwrap.conversion else unwrap.label
    return [f"| unwrap {label}", *(f"| {each}" for each in unwrap.filters)]


def _parameter(operation: RangeAggregation | VectorAggregation) -> str:
    return "" if operation.parameter is None else f"{write_fixed(operation.parameter)},"


def _grouping(grouping: Grouping | None, comma: str) -> str:
    """The grouping with a space in front; empty without a grouping."""
    if grouping is None:
        return ""
    return f" {'without' if grouping.without else 'by'} ({comma.join(grouping.labels)})"


def _operator(operation: BinaryOperation, comma: str, right: str) -> str:
    """The operator with its modifiers.

    Args:
        operation: whose operator it is.
        comma: what separates labels.
        right: text of the right side; a parenthesis in front of it would be read as the labels of
            a `group_left` that has none.
    """
    parts = [operation.op]
    if operation.return_bool:
        parts.append("bool")
    if operation.matching:
        parts += _matching(operation.matching, comma, is_list_needed=right.lstrip()[0] == "(")
    return " ".join(parts)


def _matching(matching: VectorMatching, comma: str, *, is_list_needed: bool) -> list[str]:
    parts = [f"{'on' if matching.on else 'ignoring'} ({comma.join(matching.labels)})"]
    if matching.group:
        parts.append(f"group_{matching.group}")
        if matching.include or is_list_needed:
            parts.append(f"({comma.join(matching.include)})")
    return parts
