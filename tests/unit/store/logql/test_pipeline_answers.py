"""Pipelines against the recorded answers of a real Loki 3.7.6.

`record_pipeline_answers.py` records them anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lokikit.store.errors import QueryError
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.pipeline import Processed, compile_pipeline
from lokikit.store.logql.syntax import LogExpression
from lokikit.store.rows import Row

HERE = Path(__file__)
QUESTIONS: dict[str, Any] = json.loads(HERE.with_name("pipeline_questions.json").read_text())
ANSWERS: dict[str, Any] = json.loads(HERE.with_name("pipeline_answers.json").read_text())
KNOWN = {
    '| logfmt | a=~"a|abc"': "Loki drops the anchors of alternatives with a common begin",
    '| json | line_format "{{ $x = 5 }}"': "refused at once, not line by line",
    '| json | line_format "{{ call .a }}"': "likewise",
    r'| json | line_format "{{ urldecode \"%C3%A9+%ff\" | len }}"': "other bytes become U+FFFD",
}
"""Differences from Loki, and why."""
_TIME_NS = 1_700_000_000_123_456_789


def answers(group: str, pipeline: str) -> list[dict[str, Any] | None] | None:
    """What the pipeline makes of each row of the group, None when it is refused."""
    labels = {**QUESTIONS[group]["labels"], "run": "1"}
    try:
        query = parse_query(f'{{run="1"}} {pipeline}')
        assert isinstance(query, LogExpression)
        compiled = compile_pipeline(query.stages)
    except QueryError:
        return None
    found = []
    for (line, _), metadata in zip(QUESTIONS[group]["rows"], ANSWERS[group][""], strict=True):
        row = Row(_TIME_NS, labels, metadata, line)
        found.append(change(compiled.process(row), row))
    return found


def change(processed: Processed | None, row: Row) -> dict[str, Any] | None:
    """What a pipeline changed, in the form of the recorded answers."""
    if processed is None:
        return None
    changes: dict[str, Any] = {"parsed": dict(processed.parsed)}
    if processed.line != row.line:
        changes["line"] = processed.line
    if processed.stream != row.labels:
        stream = processed.stream.items()
        changes["stream"] = {name: value for name, value in stream if name != "run"}
    if processed.metadata != row.metadata:
        changes["metadata"] = dict(processed.metadata)
    return changes


def comparable(answer: list[dict[str, Any] | None] | None) -> list[dict[str, Any] | None] | None:
    """The answer, or None for a refusal.

    Loki answers nothing at all where it refuses an expression only when the query runs.
    """
    return answer if answer is not None and any(answer) else None


@pytest.mark.parametrize("group", QUESTIONS)
def test_lines_come_out_as_from_loki(group: str) -> None:
    """Lines, labels by category, and errors are the same for each row and pipeline."""
    differing = {
        pipeline
        for pipeline in QUESTIONS[group]["pipelines"]
        if comparable(answers(group, pipeline)) != comparable(ANSWERS[group][pipeline])
    }
    assert differing == {pipeline for pipeline in KNOWN if pipeline in ANSWERS[group]}
