"""Samples out of rows: the label set and the value that a range aggregation takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lokikit.store.errors import QueryError
from lokikit.store.logql.grouped_labels import GroupedLabels
from lokikit.store.logql.label_filters import filter_names
from lokikit.store.logql.label_value import LabelValue
from lokikit.store.logql.labels_builder import ERROR, LineState
from lokikit.store.logql.pipeline import compile_pipeline
from lokikit.store.logql.pipeline_rewrite import without_idle_formats
from lokikit.store.logql.pipeline_syntax import (
    DropLabels,
    KeepLabels,
    LabelFormat,
    LineFilter,
    Stage,
)
from lokikit.store.logql.quoting import format_labels
from lokikit.store.logql.syntax import Grouping, RangeAggregation, SampleExpression, Unwrap

if TYPE_CHECKING:
    from lokikit.store.logql.vectors import LabelSet
    from lokikit.store.rows import Row

    Sample = tuple[LabelSet, float]

_BYTES_OPS = frozenset({"bytes_over_time", "bytes_rate"})
_PARSER_ERRORS = frozenset({"JSONParserErr", "LogfmtParserErr"})
"""Errors that `by (__error__)` groups by, as a label like others."""
_PIPELINE_ERROR = """pipeline error: '{error}' for series: '{series}'.
Use a label filter to intentionally skip this error. (e.g | __error__!="{error}").
To skip all potential errors you can match empty errors.(e.g __error__="")
The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__="" )
"""


class SampleExtractor:
    """Maps a row to its sample, or to None where the pipeline drops it.

    Args:
        aggregation: the range aggregation.
        summed_by: the grouping of a `sum` directly above it, to be applied here already.
    """

    def __init__(self, aggregation: RangeAggregation, summed_by: Grouping | None = None) -> None:
        unwrap, grouping = aggregation.log_range.unwrap, _grouping(aggregation, summed_by)
        counts_bytes = aggregation.op in _BYTES_OPS
        stages = aggregation.log_range.query.stages
        if not counts_bytes:
            stages = without_idle_formats(stages)
        self.prefilter = stages
        self._pipeline = compile_pipeline(stages, wanted=_wanted(grouping, unwrap))
        self._line_value = line_bytes if counts_bytes else _one
        self._label_value = None if unwrap is None else LabelValue(unwrap)
        self._labels = GroupedLabels(grouping, unwrap, is_outer=grouping is summed_by)
        self._only_filters = unwrap is None and all(
            isinstance(stage, LineFilter) for stage in stages
        )

    def __call__(self, row: Row) -> Sample | None:
        """The sample of a row.

        Raises:
            QueryError: a stage could not read the line, and no filter skips the error.
        """
        if self._only_filters:
            if not self._pipeline.takes(row.line):
                return None
            return self._labels.of_row(row), self._line_value(row.line)
        state = self._pipeline.run(row)
        if state is None:
            return None
        value = self._value(state)
        return None if value is None else (self._label_set(state), value)

    def _value(self, state: LineState) -> float | None:
        if self._label_value is None:
            return self._line_value(state.line)
        return self._label_value(state)

    def _shows_errors(self, state: LineState) -> bool:
        """True when errors are counted: the `sum` groups by them, or a filter reads them."""
        return self._labels.shows_errors or ERROR in (state.hints.required or ())

    def _label_set(self, state: LineState) -> LabelSet:
        if state.error and not (self._shows_errors(state) and state.error in _PARSER_ERRORS):
            raise _pipeline_error(state.labels())
        labels = self._labels.of(state)
        if not state.error and ERROR in state.parsed and ERROR in dict(labels):
            raise _pipeline_error(dict(labels))
        return labels


def hides_empty_labels(expression: SampleExpression) -> bool:
    """True when the answer to an expression leaves out empty labels.

    As in Loki, that of a range aggregation does where a stage deletes or renames a label. Series
    that differ in empty labels alone remain several.
    """
    if not isinstance(expression, RangeAggregation) or expression.grouping:
        return False
    return any(map(_deletes_labels, expression.log_range.query.stages))


def _deletes_labels(stage: Stage) -> bool:
    if isinstance(stage, LabelFormat):
        return not all(assignment.is_template for assignment in stage.assignments)
    return isinstance(stage, (DropLabels, KeepLabels))


def line_bytes(line: str) -> float:
    """The length of a line in UTF-8."""
    return float(len(line) if line.isascii() else len(line.encode()))


def _one(_line: str) -> float:
    return 1.0


def _grouping(aggregation: RangeAggregation, summed_by: Grouping | None) -> Grouping | None:
    if aggregation.op == "absent_over_time":
        return Grouping(())
    return aggregation.grouping or summed_by


def _wanted(grouping: Grouping | None, unwrap: Unwrap | None) -> frozenset[str] | None:
    """The labels that the query uses; Loki reads no others from a line."""
    if grouping is None or grouping.without:
        return None
    names = frozenset(grouping.labels)
    if unwrap is None:
        return names
    return names.union({unwrap.label}, *map(filter_names, unwrap.filters))


def _pipeline_error(labels: Mapping[str, str]) -> QueryError:
    text = _PIPELINE_ERROR.format(error=labels[ERROR], series=format_labels(labels))
    return QueryError(text)
