from __future__ import annotations

from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.pipeline_rewrite import without_idle_formats


def rewritten(pipeline: str) -> list[str]:
    stages = parse_query(f'{{a="b"}} {pipeline}').stages
    return [type(stage).__name__ for stage in without_idle_formats(stages)]


def test_format_at_the_end_goes():
    assert rewritten('| json | line_format "x" | a="b"') == ["JsonParser", "LabelFilterStage"]


def test_format_before_a_line_filter_stays():
    assert rewritten('| line_format "x" |= "y"') == ["LineFormat", "LineFilter"]


def test_format_before_a_parser_stays():
    assert rewritten('| line_format "x" | logfmt') == ["LineFormat", "LogfmtParser"]
