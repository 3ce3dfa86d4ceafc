"""Queries over a few lines in memory, for the tests of the evaluator."""

from __future__ import annotations

from lokikit.store.logql.evaluator import Evaluator
from lokikit.store.logql.memory_source import MemorySource
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.series import Steps
from lokikit.store.rows import Row

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS


def at(seconds: float) -> int:
    """A moment after the start of the tests' time."""
    return START_NS + int(seconds * SECOND_NS)


def row(seconds: float, line: str, **labels: str) -> Row:
    """A stored line of stream `{app="a"}`, or of the stream with these labels."""
    return Row(at(seconds), labels or {"app": "a"}, {}, line)


def evaluator(*rows: Row, **options: object) -> Evaluator:
    """An evaluator over these rows."""
    return Evaluator(MemorySource(rows), **options)


def instant(query: str, *rows: Row, seconds: float = 60) -> dict[str, float]:
    """The values of an instant query, by labels written as `a=1,b=2`."""
    series = evaluator(*rows).samples(parse_query(query), Steps.instant(at(seconds)))
    return {
        ",".join(f"{name}={value}" for name, value in one.labels.items()): one.values[0]
        for one in series
    }


def over(query: str, *rows: Row, end: float, step: float) -> list[list[float | None]]:
    """The values of a range query from the start on, one list for each series."""
    steps = Steps(at(0), at(end), int(step * SECOND_NS))
    return [one.values for one in evaluator(*rows).samples(parse_query(query), steps)]
