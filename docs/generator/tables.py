"""Tables in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the rows below the heads of the columns; a `|` in a cell is escaped."""
    lines = [columns, ["---"] * len(columns), *(tuple(map(_escaped, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def code(*names: str) -> str:
    """Return the names as code, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)
