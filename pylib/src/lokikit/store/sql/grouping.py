"""The labels that separate the groups of an answer, in SQL and behind the pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from lokikit.store.logql.pipeline_syntax import (
    DropLabels,
    JsonParser,
    KeepLabels,
    LabelFilterStage,
    LineFilter,
    Stage,
)
from lokikit.store.logql.sample_extraction import SampleExtractor
from lokikit.store.logql.syntax import SUMMABLE, Grouping, LogExpression, RangeAggregation
from lokikit.store.rows import Row
from lokikit.store.segments.stored_rows import joined_metadata
from lokikit.store.sql.names import Names, StreamLabels, stream_column
from lokikit.store.sql.predicates import NotProvenError, literal

if TYPE_CHECKING:
    from lokikit.store.logql.series import SampleRequest
    from lokikit.store.logql.vectors import LabelSet

_SAME_EXTREME = {"max": "max_over_time", "min": "min_over_time"}
_MAX_JOINED = 5000
_FILTERS = (LineFilter, LabelFilterStage)


def group_names(request: SampleRequest) -> tuple[str, ...]:
    """The names of the labels whose values separate the groups.

    Raises:
        NotProvenError: groups of SQL would be others, or other sums.
    """
    aggregation, outer = request.aggregation, request.outer
    grouping = aggregation.grouping
    if outer is not None:
        is_sum = outer.op == "sum" and aggregation.op in SUMMABLE
        if grouping or not (is_sum or _SAME_EXTREME.get(outer.op) == aggregation.op):
            raise NotProvenError(f"{outer.op} of {aggregation.op}")
        grouping = outer.grouping or Grouping(())
        unwrap = aggregation.log_range.unwrap
        if unwrap and not is_sum and unwrap.label in grouping.labels:
            raise NotProvenError("the series have no longer the label of the unwrap")
        if not is_sum and _filters_before_parser(aggregation.log_range.query.stages):
            raise NotProvenError("a filter that parsers apply again")
    if grouping is None or grouping.without:
        raise NotProvenError("labels without a list")
    names = tuple(dict.fromkeys(grouping.labels))
    if any(_loses(stage, names) for stage in aggregation.log_range.query.stages):
        raise NotProvenError("groups by a label that a stage takes away")
    return names


def _loses(stage: Stage, names: Sequence[str]) -> bool:
    """True when a stage removes one of these labels."""
    if isinstance(stage, DropLabels):
        return any(item in names for item in stage.items)
    return isinstance(stage, KeepLabels) and not set(names) <= set(stage.items)


class Grouper(Protocol):
    """How SQL names the group of a row."""

    def expressions(self, names: Names) -> tuple[list[str], list[str]]:
        """The SQL of the columns, and the conditions of rows in which it is not known."""

    def labels(self, columns: Sequence[Any]) -> LabelSet:
        """The labels of a group."""

    def join(self, wanted: Sequence[str]) -> str:
        """The table of the streams, for FROM, with the labels of these names."""

    def reads(self, texts: Sequence[str]) -> list[str]:
        """The labels of streams whose columns stand in these texts of SQL."""


def chosen_groups(request: SampleRequest, streams: StreamLabels) -> Grouper:
    """How the answer of a request is grouped.

    Raises:
        NotProvenError: groups of SQL would be others.
    """
    if request.outer or request.aggregation.grouping:
        return Groups(group_names(request), streams)
    return WholeLabels(request.aggregation, streams)


def _filters_before_parser(stages: Sequence[Stage]) -> bool:
    kinds = [type(stage) for stage in stages if isinstance(stage, (LabelFilterStage, JsonParser))]
    return LabelFilterStage in kinds and JsonParser in kinds[kinds.index(LabelFilterStage) :]


class Groups:
    """How SQL names the group of a row: by a class of its stream, and by expressions."""

    def __init__(self, names: Sequence[str], streams: StreamLabels) -> None:
        if len(streams.labels) > _MAX_JOINED:
            raise NotProvenError("too many streams")
        self._names, self._streams = names, streams
        self._of_streams = [name for name in names if streams.in_all(name)]
        self._others = [name for name in names if not streams.in_all(name)]
        self._classes: dict[tuple[str, ...], int] = {}
        for labels in streams.labels.values():
            self._classes.setdefault(self._class_values(labels), len(self._classes))
        self._values = list(self._classes)

    def _class_values(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(labels[name] for name in self._of_streams)

    def expressions(self, names: Names) -> tuple[list[str], list[str]]:
        """The SQL of these columns, and the conditions of rows in which it is not known."""
        labels = [names.label(name) for name in self._others]
        class_ = "s.class" if len(self._classes) > 1 else "0"
        hard = [condition for label in labels for condition in label.hard]
        return [class_, *(label.sql for label in labels)], hard

    def labels(self, columns: Sequence[object]) -> LabelSet:
        """The labels of a group."""
        pairs = dict(zip(self._of_streams, self._values[int(str(columns[0]))]))  # noqa: B905
        for name, value in zip(self._others, columns[1:]):  # noqa: B905 - equally many
            if value is not None:
                pairs[name] = str(value)
        return tuple(sorted(pairs.items()))

    def join(self, wanted: Sequence[str]) -> str:
        """The table of the streams, for FROM: it selects them, too.

        Args:
            wanted: names of labels whose columns the query reads.
        """
        rows = ", ".join(
            f"({', '.join((str(number), *self._stream_values(labels, wanted)))})"
            for number, labels in self._streams.labels.items()
        )
        columns = ", ".join(("id", "class", *(f'"l_{name}"' for name in wanted)))
        return f"JOIN (VALUES {rows}) s({columns}) ON r.stream = s.id"

    def _stream_values(self, labels: Mapping[str, str], wanted: Sequence[str]) -> list[str]:
        class_ = str(self._classes[self._class_values(labels)])
        return [class_, *(literal(labels[n]) if n in labels else "NULL" for n in wanted)]

    def reads(self, texts: Sequence[str]) -> list[str]:
        """The labels of streams whose columns stand in these texts of SQL."""
        names = sorted({name for labels in self._streams.labels.values() for name in labels})
        joined = " ".join(texts)
        return [name for name in names if stream_column(name) in joined]


class WholeLabels(Groups):
    """Each set of labels is a group: those of the stream, structured metadata, and the level."""

    def __init__(self, aggregation: RangeAggregation, streams: StreamLabels) -> None:
        super().__init__((), streams)
        log_range = aggregation.log_range
        stages = log_range.query.stages
        if log_range.unwrap or not all(isinstance(stage, _FILTERS) for stage in stages):
            raise NotProvenError("labels of a parser")
        unfiltered = replace(log_range, query=LogExpression(log_range.query.matchers))
        self._extract = SampleExtractor(replace(aggregation, log_range=unfiltered))

    def expressions(self, names: Names) -> tuple[list[str], list[str]]:  # noqa: ARG002 - unused
        """The SQL of the columns; it is known in all rows."""
        return ["r.stream", "meta", "level"], []

    def labels(self, columns: Sequence[Any]) -> LabelSet:
        """The labels of a group."""
        stream, meta, level = columns
        row = Row(0, self._streams.labels[stream], joined_metadata(meta, level), "")
        sample = self._extract(row)
        if sample is None:
            raise NotProvenError("a row without a sample")
        return sample[0]
