"""The table of fields, from the constants of `lokikit.fields` and their docstrings."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from docs.generator.tables import code, table

from lokikit import fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LINES = {
    "every line": fields.REQUIRED_FIELDS,
    "where known": [name for name in fields.LINE_FIELDS if name not in fields.REQUIRED_FIELDS],
    "a line that was cut": (fields.TRUNCATED,),
    "a level of the application's own": (fields.LEVEL_NAME,),
    "a request": (*fields.REQUEST_FIELDS, fields.USER_ID, fields.CLOSE_CODE),
    "a step of a task": fields.TASK_FIELDS,
    "the canary": fields.CANARY_FIELDS,
}


def meanings() -> dict[str, str]:
    """Return what the docstring behind each constant with a field's name says: field -> text."""
    body = ast.parse(Path(fields.__file__).read_text(encoding="utf-8")).body
    found = {}
    for one, after in itertools.pairwise(body):
        match one, after:
            case (
                ast.Assign(targets=[ast.Name()], value=ast.Constant(value=str() as name)),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                found[name] = text
    return found


def _rows() -> Iterator[tuple[str, str, str]]:
    said = meanings()
    for where, names in _LINES.items():
        for name in names:
            text = said[name].replace("`TASK_ACTIONS`", code(*fields.TASK_ACTIONS))
            yield code(name), where, text.replace("`LEVELS`", code(*fields.LEVELS))


BLOCKS: dict[str, Callable[[], str]] = {
    "fields": lambda: table(("field", "on", "what it is"), _rows()),
}
