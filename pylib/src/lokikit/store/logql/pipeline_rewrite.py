"""What may be left out of a pipeline, or asked of the source beforehand, without a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.store.logql.syntax import (
    Decolorize,
    JsonParser,
    LineFilter,
    LineFormat,
    LogfmtParser,
    PatternParser,
    RegexpParser,
    UnpackParser,
)

if TYPE_CHECKING:
    from lokikit.store.logql.syntax import Stage

_READ_LINE = (LineFilter, JsonParser, LogfmtParser, PatternParser, RegexpParser, UnpackParser)
_CHANGE_LINE = (LineFormat, Decolorize, UnpackParser)


def without_idle_formats(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages of a query that counts lines, without each `line_format` that nothing reads.

    Loki leaves them out too: an error in their templates is not seen then.
    """
    last = max((at for at, stage in enumerate(stages) if isinstance(stage, _READ_LINE)), default=-1)
    return tuple(
        stage for at, stage in enumerate(stages) if at < last or not isinstance(stage, LineFormat)
    )


def leading_filters(stages: tuple[Stage, ...]) -> tuple[LineFilter, ...]:
    """The line filters that see the line as it is stored."""
    filters: list[LineFilter] = []
    for stage in stages:
        if isinstance(stage, _CHANGE_LINE):
            break
        if isinstance(stage, LineFilter):
            filters.append(stage)
    return tuple(filters)
