"""Selectors and the stages behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from lokikit.store.logql.filter_grammar import parse_ip, parse_label_filter
from lokikit.store.logql.lexer import CONVERSION, FLAG, IDENTIFIER, STRING
from lokikit.store.logql.literals import MATCH_OPS, matcher_of, parse_matcher, parse_text
from lokikit.store.logql.patterns import check_captures, check_pattern
from lokikit.store.logql.pipeline_syntax import (
    Decolorize,
    DropLabels,
    Extraction,
    JsonParser,
    KeepLabels,
    LabelAssignment,
    LabelFilterStage,
    LabelFormat,
    LineFilter,
    LineFormat,
    LineText,
    LogfmtParser,
    Matcher,
    PatternParser,
    RegexpParser,
    Stage,
    UnpackParser,
)
from lokikit.store.logql.syntax import Unwrap

if TYPE_CHECKING:
    from lokikit.store.logql.cursor import Cursor

_Item = TypeVar("_Item")
_LineOp = Literal["|=", "!=", "|~", "!~", "|>", "!>"]
_LINE_OPS = frozenset({"|=", "!=", "|~", "!~", "|>", "!>"})
_CONVERSIONS = ("BYTES_CONV", "DURATION_CONV", "DURATION_SECONDS_CONV")


def parse_matchers(cursor: Cursor) -> tuple[Matcher, ...]:
    """The matchers of `{a="b", c=~"d"}`, without a check that they narrow anything down."""
    start = cursor.expect("{")
    matchers = () if cursor.accept("}") else _matchers(cursor)
    cursor.selectors.append((start, matchers))
    return matchers


def _matchers(cursor: Cursor) -> tuple[Matcher, ...]:
    if cursor.kind != IDENTIFIER:
        raise cursor.unexpected(IDENTIFIER, "}")
    matchers = [parse_matcher(cursor)]
    while not cursor.accept("}"):
        if not cursor.accept(","):
            raise cursor.unexpected("}", ",")
        matchers.append(parse_matcher(cursor))
    return tuple(matchers)


def parse_stages(cursor: Cursor) -> tuple[Stage, ...]:
    """All stages at the cursor, up to `unwrap` or to a token that begins no stage."""
    stages: list[Stage] = []
    while True:
        start, found = cursor.current, len(stages)
        if cursor.kind in _LINE_OPS:
            stages.extend(_line_filters(cursor))
        elif cursor.kind == "|" and not cursor.follows("unwrap"):
            cursor.advance()
            stages.append(_stage(cursor))
        else:
            return tuple(stages)
        cursor.stages.extend((start, stage) for stage in stages[found:])


def parse_unwrap(cursor: Cursor) -> Unwrap | None:
    """`| unwrap …` with the label filters behind it; None when the cursor is elsewhere."""
    if cursor.kind != "|" or not cursor.follows("unwrap"):
        return None
    cursor.advance()
    cursor.advance()
    label, conversion = _unwrapped(cursor)
    filters = []
    while bar := cursor.accept("|"):
        if cursor.kind not in {IDENTIFIER, "("}:
            raise cursor.unexpected(IDENTIFIER, "(")
        filters.append(parse_label_filter(cursor))
        cursor.stages.append((bar, LabelFilterStage(filters[-1])))
    return Unwrap(label, conversion, tuple(filters))


def _unwrapped(
    cursor: Cursor,
) -> tuple[str, Literal["", "duration", "duration_seconds", "bytes"]]:
    if cursor.kind == IDENTIFIER:
        return cursor.advance().text, ""
    if cursor.kind != CONVERSION:
        raise cursor.unexpected(IDENTIFIER, *_CONVERSIONS)
    conversion = cursor.advance().text
    cursor.expect("(")
    label = cursor.expect(IDENTIFIER).text
    cursor.expect(")")
    return label, cast("Literal['duration', 'duration_seconds', 'bytes']", conversion)


def _line_filters(cursor: Cursor) -> list[LineFilter]:
    """One filter, or one for each operand where the operator negates, which means the same."""
    start = cursor.advance()
    op = cast("_LineOp", start.kind)
    operands = [_line_text(cursor)]
    while cursor.accept("or"):
        operands.append(_line_text(cursor))
    if op[0] == "!":
        filters = [LineFilter(op, (operand,)) for operand in operands]
    else:
        filters = [LineFilter(op, tuple(operands))]
    if op[1] == "~":
        cursor.regexes.extend((start, found) for found in filters)
    return filters


def _line_text(cursor: Cursor) -> LineText:
    if cursor.kind == "ip":
        return LineText(parse_ip(cursor), is_ip=True)
    if cursor.kind != STRING:
        raise cursor.unexpected(STRING, "ip")
    return LineText(str(cursor.advance().value))


def _stage(cursor: Cursor) -> Stage:
    """The stage behind `|`."""
    if cursor.kind in {IDENTIFIER, "("}:
        return LabelFilterStage(parse_label_filter(cursor))
    parse = _STAGES.get(cursor.kind)
    if parse is None:
        raise cursor.unexpected()
    cursor.advance()
    return parse(cursor)


def _json(cursor: Cursor) -> Stage:
    return JsonParser(_extractions(cursor))


def _logfmt(cursor: Cursor) -> Stage:
    flags = set()
    while cursor.kind == FLAG:
        flags.add(cursor.advance().text)
    return LogfmtParser(_extractions(cursor), "--strict" in flags, "--keep-empty" in flags)


def _extractions(cursor: Cursor) -> tuple[Extraction, ...]:
    return _list(cursor, _extraction) if cursor.kind == IDENTIFIER else ()


def _extraction(cursor: Cursor) -> Extraction:
    label = cursor.expect(IDENTIFIER).text
    return Extraction(label, parse_text(cursor) if cursor.accept("=") else label)


def _list(cursor: Cursor, parse: Callable[[Cursor], _Item]) -> tuple[_Item, ...]:
    items = [parse(cursor)]
    while cursor.accept(","):
        items.append(parse(cursor))
    return tuple(items)


def _regexp(cursor: Cursor) -> Stage:
    token = cursor.expect(STRING)
    why = check_captures(str(token.value))
    if why:
        raise cursor.refusal(token, f"invalid regexp parser: {why}")
    return RegexpParser(str(token.value))


def _pattern(cursor: Cursor) -> Stage:
    token = cursor.expect(STRING)
    why = check_pattern(str(token.value))
    if why:
        raise cursor.refusal(token, f"invalid pattern parser: {why}")
    return PatternParser(str(token.value))


def _label_format(cursor: Cursor) -> Stage:
    return LabelFormat(_list(cursor, _assignment))


def _assignment(cursor: Cursor) -> LabelAssignment:
    label = cursor.expect(IDENTIFIER).text
    cursor.expect("=")
    value = cursor.expect(IDENTIFIER, STRING)
    if value.kind == STRING:
        return LabelAssignment(label, str(value.value), is_template=True)
    return LabelAssignment(label, value.text, is_template=False)


def _name_or_matcher(cursor: Cursor) -> str | Matcher:
    name = cursor.expect(IDENTIFIER).text
    if cursor.kind not in MATCH_OPS:
        return name
    op = cursor.advance().text
    return matcher_of(cursor, name, op, cursor.expect(STRING))


_STAGES: dict[str, Callable[[Cursor], Stage]] = {
    "json": _json,
    "logfmt": _logfmt,
    "unpack": lambda _: UnpackParser(),
    "regexp": _regexp,
    "pattern": _pattern,
    "line_format": lambda cursor: LineFormat(parse_text(cursor)),
    "label_format": _label_format,
    "decolorize": lambda _: Decolorize(),
    "drop": lambda cursor: DropLabels(_list(cursor, _name_or_matcher)),
    "keep": lambda cursor: KeepLabels(_list(cursor, _name_or_matcher)),
}
