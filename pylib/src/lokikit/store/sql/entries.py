"""A condition of SQL that leaves out rows which the pipeline would drop anyway.

The pipeline still sees each row that is left, so the condition may keep too many rows, never too
few: what SQL is not known to read alike adds nothing to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lokikit.store.logql.pipeline_syntax import (
    Decolorize,
    LineFilter,
    LineFormat,
    Stage,
    UnpackParser,
)
from lokikit.store.sql.conditions import Conditions
from lokikit.store.sql.names import Names, StreamLabels
from lokikit.store.sql.predicates import NotProvenError

_CHANGE_LINE = (LineFormat, Decolorize, UnpackParser)


def row_condition(stages: Sequence[Stage], streams: Mapping[int, Mapping[str, str]]) -> str:
    """The condition on the columns of a part; `TRUE` where nothing can be left out."""
    conditions = Conditions(Names(StreamLabels(streams, joined=False)))
    are_labels_known = True
    for stage in stages:
        if isinstance(stage, LineFilter) or are_labels_known:
            try:
                conditions.add(stage)
            except NotProvenError:
                # The stage may set labels, `__error__` among them; a line filter does not.
                are_labels_known &= isinstance(stage, LineFilter)
        if isinstance(stage, _CHANGE_LINE):
            conditions.is_line_kept = False
    return conditions.for_all()
