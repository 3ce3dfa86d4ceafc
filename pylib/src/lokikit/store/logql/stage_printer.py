"""Stages of a pipeline and label filters as text on one line."""

from __future__ import annotations

from functools import singledispatch

from lokikit.store.logql.pipeline_syntax import (
    AndFilter,
    BytesFilter,
    Decolorize,
    DropLabels,
    DurationFilter,
    Extraction,
    IpFilter,
    JsonParser,
    KeepLabels,
    LabelAssignment,
    LabelFilter,
    LabelFilterStage,
    LabelFormat,
    LineFilter,
    LineFormat,
    LineText,
    LogfmtParser,
    Matcher,
    NumberFilter,
    OrFilter,
    PatternParser,
    RegexpParser,
    Stage,
    StringFilter,
    UnpackParser,
)
from lokikit.store.logql.quoting import quote, write_fixed
from lokikit.store.logql.units import format_bytes, format_duration


@singledispatch
def print_stage(stage: Stage) -> str:
    """Text of a stage, with the `|` or the operator in front."""
    raise TypeError(f"no stage: {stage!r}")


@print_stage.register
def _(stage: LineFilter) -> str:
    return f"{stage.op} {' or '.join(map(_line_text, stage.operands))}"


def _line_text(operand: LineText) -> str:
    return f"ip({quote(operand.text)})" if operand.is_ip else quote(operand.text)


@print_stage.register
def _(stage: JsonParser) -> str:
    return _with_list("| json", map(_extraction, stage.extractions))


@print_stage.register
def _(stage: LogfmtParser) -> str:
    flags = (" --strict" if stage.strict else "") + (" --keep-empty" if stage.keep_empty else "")
    return _with_list(f"| logfmt{flags}", map(_extraction, stage.extractions))


def _with_list(head: str, items: map[str]) -> str:
    return f"{head} {','.join(items)}".rstrip()


def _extraction(extraction: Extraction) -> str:
    return f"{extraction.label}={quote(extraction.expression)}"


@print_stage.register
def _(stage: RegexpParser) -> str:
    return f"| regexp {quote(stage.pattern)}"


@print_stage.register
def _(stage: PatternParser) -> str:
    return f"| pattern {quote(stage.pattern)}"


@print_stage.register
def _(_stage: UnpackParser) -> str:
    return "| unpack"


@print_stage.register
def _(_stage: Decolorize) -> str:
    return "| decolorize"


@print_stage.register
def _(stage: LineFormat) -> str:
    return f"| line_format {quote(stage.template)}"


@print_stage.register
def _(stage: LabelFormat) -> str:
    return f"| label_format {','.join(map(_assignment, stage.assignments))}"


def _assignment(assignment: LabelAssignment) -> str:
    value = quote(assignment.value) if assignment.is_template else assignment.value
    return f"{assignment.label}={value}"


@print_stage.register
def _(stage: DropLabels) -> str:
    return f"| drop {','.join(map(_name_or_matcher, stage.items))}"


@print_stage.register
def _(stage: KeepLabels) -> str:
    return f"| keep {','.join(map(_name_or_matcher, stage.items))}"


def _name_or_matcher(item: str | Matcher) -> str:
    return item if isinstance(item, str) else _matcher(item)


def _matcher(matcher: Matcher) -> str:
    return f"{matcher.name}{matcher.op}{quote(matcher.value)}"


@print_stage.register
def _(stage: LabelFilterStage) -> str:
    return f"| {print_filter(stage.condition)}"


@singledispatch
def print_filter(condition: LabelFilter) -> str:
    """Text of a label filter; what has two sides stands in parentheses."""
    raise TypeError(f"no label filter: {condition!r}")


@print_filter.register
def _(condition: StringFilter) -> str:
    return _matcher(condition.matcher)


@print_filter.register
def _(condition: NumberFilter) -> str:
    return f"{condition.name}{condition.op}{write_fixed(condition.value)}"


@print_filter.register
def _(condition: DurationFilter) -> str:
    return f"{condition.name}{condition.op}{format_duration(condition.value_ns)}"


@print_filter.register
def _(condition: BytesFilter) -> str:
    return f"{condition.name}{condition.op}{format_bytes(condition.value_bytes)}"


@print_filter.register
def _(condition: IpFilter) -> str:
    return f"{condition.name}{condition.op}ip({quote(condition.pattern)})"


@print_filter.register
def _(condition: AndFilter) -> str:
    return f"( {print_filter(condition.left)} , {print_filter(condition.right)} )"


@print_filter.register
def _(condition: OrFilter) -> str:
    return f"( {print_filter(condition.left)} or {print_filter(condition.right)} )"
