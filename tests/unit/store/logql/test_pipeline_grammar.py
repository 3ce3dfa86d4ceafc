from __future__ import annotations

import pytest

from lokikit.store.errors import SyntaxProblem
from lokikit.store.logql.parser import parse_log_query, parse_query
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
    NumberFilter,
    PatternParser,
    RegexpParser,
    Stage,
    UnpackParser,
)
from lokikit.store.logql.syntax import RangeAggregation, Unwrap

X, Y = LineText("x"), LineText("y")


def stages(text: str) -> tuple[Stage, ...]:
    """The stages behind a selector."""
    return parse_log_query(f'{{a="b"}} {text}').stages


def test_matchers() -> None:
    """All four operators."""
    assert parse_log_query('{a="1", b!="2", c=~"3", d!~"4"}').matchers == (
        Matcher("a", "=", "1"),
        Matcher("b", "!=", "2"),
        Matcher("c", "=~", "3"),
        Matcher("d", "!~", "4"),
    )


@pytest.mark.parametrize("op", ["|=", "|~", "|>"])
def test_alternatives_of_a_line_filter(op: str) -> None:
    """One filter with several operands."""
    assert stages(f'{op} "x" or `y`') == (LineFilter(op, (X, Y)),)  # type: ignore[arg-type]


@pytest.mark.parametrize("op", ["!=", "!~", "!>"])
def test_alternatives_of_a_negated_line_filter(op: str) -> None:
    """A line that holds any of them is left out, so they are filters one after the other."""
    first, second = stages(f'{op} "x" or "y"')
    assert (first, second) == (LineFilter(op, (X,)), LineFilter(op, (Y,)))  # type: ignore[arg-type]


def test_addresses_in_line_filters() -> None:
    """Beside texts, too."""
    assert stages('|= ip("1.2.3.4") or "x"') == (
        LineFilter("|=", (LineText("1.2.3.4", is_ip=True), X)),
    )


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("| json", JsonParser()),
        ('| json a, b="c.d[0]"', JsonParser((Extraction("a", "a"), Extraction("b", "c.d[0]")))),
        ("| logfmt", LogfmtParser()),
        ("| logfmt --strict", LogfmtParser(strict=True)),
        ("| logfmt --keep-empty a", LogfmtParser((Extraction("a", "a"),), keep_empty=True)),
        ("| logfmt --keep-empty --strict", LogfmtParser((), strict=True, keep_empty=True)),
        ("| regexp `(?P<a>.)`", RegexpParser("(?P<a>.)")),
        ('| pattern "<a> <_>"', PatternParser("<a> <_>")),
        ("| unpack", UnpackParser()),
        ("| decolorize", Decolorize()),
        ("| line_format `{{.a}}`", LineFormat("{{.a}}")),
        (
            '| label_format a=b, c="{{.d}}"',
            LabelFormat((LabelAssignment("a", "b", False), LabelAssignment("c", "{{.d}}", True))),
        ),
        ('| drop a, b="c"', DropLabels(("a", Matcher("b", "=", "c")))),
        ('| keep a, b=~"c"', KeepLabels(("a", Matcher("b", "=~", "c")))),
        ("| a > 5", LabelFilterStage(NumberFilter("a", ">", 5.0))),
    ],
)
def test_stages(text: str, stage: Stage) -> None:
    """Each stage has its class."""
    assert stages(text) == (stage,)


def test_stages_keep_their_order() -> None:
    """A line filter needs no bar, and may stand anywhere."""
    kinds = [type(stage) for stage in stages('| json |= "x" | a > 5 | logfmt b != "y" | unpack')]
    assert kinds == [
        JsonParser,
        LineFilter,
        LabelFilterStage,
        LogfmtParser,
        LineFilter,
        UnpackParser,
    ]


@pytest.mark.parametrize(
    ("text", "unwrap"),
    [
        ("unwrap x", Unwrap("x")),
        ("unwrap duration(x)", Unwrap("x", "duration")),
        ("unwrap duration_seconds(x)", Unwrap("x", "duration_seconds")),
        ("unwrap bytes(x)", Unwrap("x", "bytes")),
        ("unwrap duration", Unwrap("duration")),
        (
            "unwrap x | a > 5 | b < 5",
            Unwrap("x", "", (NumberFilter("a", ">", 5.0), NumberFilter("b", "<", 5.0))),
        ),
    ],
)
def test_unwrap(text: str, unwrap: Unwrap) -> None:
    """With a conversion, and with filters behind it."""
    query = parse_query(f'rate({{a="b"}} | json | {text} [5m])')
    assert isinstance(query, RangeAggregation)
    assert query.log_range.unwrap == unwrap


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("| regexp `x`", "invalid regexp parser: at least one named capture must be supplied"),
        (
            "| regexp `(?P<a>.)(?P<a>.)`",
            "invalid regexp parser: duplicate extracted label name 'a'",
        ),
        ("| pattern `x`", "invalid pattern parser: at least one capture is required"),
        ("| drop a=~`[`", "error parsing regexp: missing closing ]: `[`"),
        ("| a=~`[`", "error parsing regexp: missing closing ]: `[`"),
        ("|= `x` |~ `[`", "stage '|~ \"[\"' : error parsing regexp: missing closing ]: `[`"),
        ("| unwrap x", "syntax error: unexpected unwrap"),
        ("| json --strict", "syntax error: unexpected FUNCTION_FLAG"),
        ("| logfmt a --strict", "syntax error: unexpected FUNCTION_FLAG"),
        ("| distinct a", "syntax error: unexpected IDENTIFIER"),
        ("| by", "syntax error: unexpected by"),
        ("| label_format a=5", "syntax error: unexpected NUMBER, expecting IDENTIFIER or STRING"),
        ("|= x", "syntax error: unexpected IDENTIFIER, expecting STRING or ip"),
        ("|", "syntax error: unexpected $end"),
    ],
)
def test_problems(text: str, problem: str) -> None:
    """In the words of Loki."""
    with pytest.raises(SyntaxProblem) as caught:
        stages(text)
    assert caught.value.problem == problem
