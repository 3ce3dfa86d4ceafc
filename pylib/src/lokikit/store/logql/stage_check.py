"""Problems of stages that only their compilation finds: templates, paths, addresses, patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.store.errors import QueryError
from lokikit.store.logql.cursor import Cursor
from lokikit.store.logql.parser import check_names, read
from lokikit.store.logql.pipeline import compile_stage

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Stage
    from lokikit.store.logql.syntax import Expression


def check_query(text: str) -> Expression:
    """The tree of a query whose stages can all run.

    Raises:
        SyntaxProblem: as `parse_query`, and for a stage that cannot run, with its place; Loki
            refuses these stages when a query runs, not when it is formatted.
    """
    cursor = Cursor(text)
    expression = read(cursor)
    check_names(cursor)
    for start, stage in cursor.stages:
        why = _problem(stage)
        if why:
            raise cursor.refusal(start, f"stage '{stage}' : {why}")
    return expression


def _problem(stage: Stage) -> str:
    try:
        compile_stage(stage)
    except QueryError as error:
        return str(error)
    return ""
