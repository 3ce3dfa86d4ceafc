"""The log pipeline of LogQL: stored lines in, processed lines out, exactly as Loki has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from lokikit.store.errors import QueryError
from lokikit.store.logql.decolorize import decolorize
from lokikit.store.logql.drop_keep import compile_drop, compile_keep
from lokikit.store.logql.format_stages import compile_label_format, compile_line_format
from lokikit.store.logql.json_stage import compile_json
from lokikit.store.logql.label_filters import compile_label_filter
from lokikit.store.logql.labels_builder import NO_LABELS, LineState, Processed, clear_metadata
from lokikit.store.logql.line_filters import compile_line_filter
from lokikit.store.logql.logfmt_stage import compile_logfmt
from lokikit.store.logql.parse_hints import ParseHints, parse_hints
from lokikit.store.logql.pipeline_syntax import (
    Decolorize,
    DropLabels,
    JsonParser,
    KeepLabels,
    LabelFilterStage,
    LabelFormat,
    LineFilter,
    LineFormat,
    LogfmtParser,
    PatternParser,
    RegexpParser,
    Stage,
    UnpackParser,
)
from lokikit.store.logql.text_parsers import compile_pattern, compile_regexp, unpack

if TYPE_CHECKING:
    from lokikit.store.rows import Row

Run = Callable[[LineState], bool]
S = TypeVar("S", bound="Stage")
C = TypeVar("C")

__all__ = ["Pipeline", "Processed", "compile_pipeline"]


class Pipeline:
    """Runs the stages of one query.

    Attributes:
        takes: returns True for a stored line that passes the line filters at the beginning.

    Args:
        filters: the line filters at the beginning, on the stored text.
        stages: the stages behind them; each returns False to drop the line.
        hints: parts of a line that the parsers may leave out.
    """

    def __init__(
        self, filters: Sequence[Callable[[str], bool]], stages: Sequence[Run], hints: ParseHints
    ) -> None:
        self.takes = _all_of(filters)
        self._stages = tuple(stages)
        self._hints = hints

    def run(self, row: Row) -> LineState | None:
        """The line behind the last stage, for stages of the caller; None when it is dropped."""
        if not self.takes(row.line):
            return None
        state = LineState(row, self._hints)
        for run in self._stages:
            if not run(state):
                return None
        return state

    def process(self, row: Row) -> Processed | None:
        """The line as the stages leave it; None when one of them drops it."""
        if not self._stages:
            if not self.takes(row.line):
                return None
            metadata = clear_metadata(row)
            return Processed(row.timestamp_ns, row.line, row.labels, metadata, NO_LABELS)
        state = self.run(row)
        return None if state is None else state.finish()


def _all_of(filters: Sequence[Callable[[str], bool]]) -> Callable[[str], bool]:
    """True for the lines that pass all filters."""
    if not filters:
        return lambda _: True
    if len(filters) == 1:
        return filters[0]
    return lambda line: all(takes(line) for takes in filters)


def compile_pipeline(stages: Sequence[Stage], wanted: frozenset[str] | None = None) -> Pipeline:
    """The pipeline of a query.

    Args:
        stages: in the order of the query.
        wanted: the labels that the query around uses, for a `sum` over lines: as in Loki,
            parsers read no further than these, so that broken text behind them goes unnoticed.
            None for all.

    Raises:
        QueryError: an expression, template, pattern or path is wrong, or a function of a
            template does not exist.
    """
    leading = 0
    while leading < len(stages) and isinstance(stages[leading], LineFilter):
        leading += 1
    filters = [
        _named(stage, compile_line_filter)
        for stage in stages[:leading]
        if isinstance(stage, LineFilter)
    ]
    runs = [_named(stage, compile_stage) for stage in stages[leading:]]
    return Pipeline(filters, runs, parse_hints(stages, wanted))


def _named(stage: S, compile_: Callable[[S], C]) -> C:
    """The result of `compile_` for the stage; its errors name the stage in Loki's words."""
    try:
        return compile_(stage)
    except QueryError as error:
        raise QueryError(f"parse error : stage '{stage}' : {error}") from error


def compile_stage(stage: Stage) -> Run:
    """The function that applies one stage to a line.

    Raises:
        QueryError: the stage cannot run; the text says why.
    """
    return _COMPILERS[type(stage)](stage)


def _line_filter(stage: LineFilter) -> Run:
    takes = compile_line_filter(stage)
    return lambda state: takes(state.line)


_COMPILERS: dict[type[Stage], Callable[[Any], Run]] = {
    LineFilter: _line_filter,
    LabelFilterStage: lambda stage: compile_label_filter(stage.condition),
    JsonParser: compile_json,
    LogfmtParser: compile_logfmt,
    RegexpParser: lambda stage: compile_regexp(stage.pattern),
    PatternParser: lambda stage: compile_pattern(stage.pattern),
    UnpackParser: lambda _: unpack,
    LineFormat: lambda stage: compile_line_format(stage.template),
    LabelFormat: lambda stage: compile_label_format(stage.assignments),
    DropLabels: lambda stage: compile_drop(stage.items),
    KeepLabels: lambda stage: compile_keep(stage.items),
    Decolorize: lambda _: decolorize,
}
