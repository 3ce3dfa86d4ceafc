from __future__ import annotations

import pytest

from lokikit.store.errors import QueryError
from lokikit.store.logql.pipeline import compile_pipeline
from lokikit.store.logql.pipeline_syntax import (
    Decolorize,
    JsonParser,
    LabelAssignment,
    LabelFilterStage,
    LabelFormat,
    LineFilter,
    LineFormat,
    LineText,
    NumberFilter,
    PatternParser,
    RegexpParser,
)
from lokikit.store.rows import Row

_ROW = Row(5, {"app": "st"}, {}, '{"a":"x"}')


def test_a_row_without_stages_shares_the_labels():
    found = compile_pipeline(()).process(_ROW)
    assert found is not None
    assert found.stream is _ROW.labels
    assert found.timestamp_ns == 5


def test_a_line_that_a_filter_takes_off_is_none():
    assert compile_pipeline((LineFilter("|=", (LineText("nope"),)),)).process(_ROW) is None


def test_a_filter_behind_a_format_sees_the_new_line():
    stages = (JsonParser(), LineFormat("new {{.a}}"), LineFilter("|=", (LineText("new x"),)))
    found = compile_pipeline(stages).process(_ROW)
    assert found is not None
    assert found.line == "new x"


def failed(*stages):
    """The labels of a line that is no JSON, behind `| json` and these stages."""
    found = compile_pipeline((JsonParser(), *stages)).process(Row(1, {}, {}, "no json"))
    return found and found.parsed


def test_a_number_is_not_compared_with_the_error_of_the_pipeline():
    assert failed(LabelFilterStage(NumberFilter("__error__", "!=", 0))) is None


def test_the_error_of_the_pipeline_cannot_be_renamed():
    assert failed(LabelFormat((LabelAssignment("a", "__error__", is_template=False),))) == failed()


def test_details_of_an_error_may_be_formatted():
    stage = LabelFormat((LabelAssignment("__error_details__", "x", is_template=True),))
    found = compile_pipeline((stage,)).process(_ROW)
    assert found is not None
    assert found.parsed == {"__error_details__": "x"}


def test_an_ip_without_text_beside_or_takes_no_line():
    operands = (LineText("nope"), LineText("", is_ip=True))
    assert compile_pipeline((LineFilter("|=", operands),)).process(_ROW) is None


def test_colors_go():
    row = Row(1, {}, {}, "\x1b[31mred\x1b[0m")
    found = compile_pipeline((Decolorize(),)).process(row)
    assert found is not None
    assert found.line == "red"


@pytest.mark.parametrize(
    "stage",
    [
        RegexpParser("("),
        RegexpParser("x"),
        PatternParser("x"),
        PatternParser("<a><b>"),
        LineFormat("{{ nope }}"),
        LineFormat("{{ if }}"),
        LabelFormat((LabelAssignment("__error__", "x", is_template=True),)),
        LabelFormat((LabelAssignment("a", "b", is_template=False),) * 2),
        LineFilter("|~", (LineText("("),)),
        LineFilter("|~", (LineText("1.1.1.1", is_ip=True),)),
        LineFilter("|>", (LineText("<_><_>"),)),
        LineFilter("|>", (LineText("<name>"),)),
    ],
)
def test_what_cannot_run_is_refused_before_it_runs(stage):
    with pytest.raises(QueryError):
        compile_pipeline((stage,))


def test_a_template_that_fails_leaves_the_line_and_names_the_error():
    found = compile_pipeline((LineFormat("{{ div 1 0 }}"),)).process(_ROW)
    assert found is not None
    assert found.line == _ROW.line
    assert found.parsed["__error__"] == "TemplateFormatErr"
