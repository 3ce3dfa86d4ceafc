"""What may be left out of a pipeline without a difference."""

from __future__ import annotations

from lokikit.store.logql.pipeline_syntax import (
    JsonParser,
    LineFilter,
    LineFormat,
    LogfmtParser,
    PatternParser,
    RegexpParser,
    Stage,
    UnpackParser,
)

_READ_LINE = (LineFilter, JsonParser, LogfmtParser, PatternParser, RegexpParser, UnpackParser)


def without_idle_formats(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    """The stages of a query that counts lines, without each `line_format` that nothing reads.

    Loki leaves them out too: an error in their templates is not seen then.
    """
    last = max((at for at, stage in enumerate(stages) if isinstance(stage, _READ_LINE)), default=-1)
    return tuple(
        stage for at, stage in enumerate(stages) if at < last or not isinstance(stage, LineFormat)
    )
