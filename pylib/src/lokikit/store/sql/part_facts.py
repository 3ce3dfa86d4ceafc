"""Facts about sealed parts, which never change, and copies of their few odd rows."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from lokikit.store.segments.schema import Part, hot_column
from lokikit.store.sql.names import UNKNOWN_ROWS, RowTraits
from lokikit.store.sql.predicates import is_number, literal

if TYPE_CHECKING:
    from lokikit.store.segments.database import Cursor

_MAX_KNOWN = 100_000
_MAX_ODD_SHARE = 0.05
_MAX_ODD_BYTES = 32 * 1024 * 1024
"""Of the copied rows of all parts together."""
_numbers = count(1)
_T = TypeVar("_T")


class PartFacts:
    """Facts about sealed parts, each queried once.

    The odd rows of a part are copied into a table where they are few: reading them from a
    segment means to read nearly all of its lines.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Any] = {}
        self._odd: dict[str, str | None] = {}
        self._odd_bytes: dict[str, int] = {}
        self._unused: list[str] = []

    def traits(
        self, cursor: Cursor, part: Part, numeric: Iterable[str], keys: Iterable[str]
    ) -> RowTraits:
        """The facts about the rows of a part; none about a part that may change.

        Args:
            cursor: runs the SQL.
            part: the part.
            numeric: hot fields that are to be numbers.
            keys: hot fields whose key in quotes is looked for.
        """
        if not part.sealed:
            return UNKNOWN_ROWS
        with self._lock:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            return RowTraits(
                self._fact(cursor, part, "metadata", _metadata_names),
                frozenset(
                    n for n in numeric if self._fact(cursor, part, f"number {n}", _is_numeric(n))
                ),
                frozenset(n for n in keys if self._fact(cursor, part, f"key {n}", _is_keyed(n))),
            )

    def _fact(
        self, cursor: Cursor, part: Part, name: str, find: Callable[[Cursor, Part], _T]
    ) -> _T:
        key = part.relation, name
        if key not in self._known:
            self._known[key] = find(cursor, part)
        found: _T = self._known[key]
        return found

    def odd_rows(self, cursor: Cursor, part: Part) -> str | None:
        """The odd rows of a part, as SQL to put behind FROM; None when it has none."""
        if not part.sealed:
            return _odd_relation(part)
        with self._lock:
            self._forget_unused(cursor)
            if part.relation not in self._odd:
                self._odd[part.relation] = self._find_odd_rows(cursor, part)
            return self._odd[part.relation]

    def _find_odd_rows(self, cursor: Cursor, part: Part) -> str | None:
        found = cursor.execute(f"SELECT count(*) FROM {part.relation} WHERE odd").fetchone()
        rows = found[0] if found else 0
        if not rows:
            return None
        if rows > part.rows * _MAX_ODD_SHARE or part.pin is None:
            return _odd_relation(part)
        return self._copy_odd_rows(cursor, part)

    def _copy_odd_rows(self, cursor: Cursor, part: Part) -> str:
        table = f"odd_rows_{next(_numbers)}"
        cursor.execute(f"CREATE TABLE {table} AS SELECT * FROM {part.relation} WHERE odd")
        sizes = f"SELECT sum(strlen(line) + coalesce(strlen(meta), 0))::BIGINT FROM {table}"
        found = cursor.execute(sizes).fetchone()
        size = found[0] if found else 0
        if sum(self._odd_bytes.values()) + size > _MAX_ODD_BYTES:
            cursor.execute(f"DROP TABLE {table}")
            return _odd_relation(part)
        self._odd_bytes[part.relation] = size
        weakref.finalize(part.pin, self._unused.append, part.relation).atexit = False
        return table

    def _forget_unused(self, cursor: Cursor) -> None:
        """Drop the copies of parts that are gone."""
        while self._unused:
            relation = self._unused.pop()
            self._odd_bytes.pop(relation, None)
            cursor.execute(f"DROP TABLE IF EXISTS {self._odd.pop(relation)}")


def _odd_relation(part: Part) -> str:
    return f"(SELECT * FROM {part.relation} WHERE odd)"


def _is_numeric(name: str) -> Callable[[Cursor, Part], bool]:
    column = hot_column(name)
    return _holds_nowhere(f"{column} IS NOT NULL AND NOT {is_number(column)}")


def _is_keyed(name: str) -> Callable[[Cursor, Part], bool]:
    key = literal(f'"{name}"')
    return _holds_nowhere(f"{hot_column(name)} IS NULL AND contains(line, {key})")


def _holds_nowhere(condition: str) -> Callable[[Cursor, Part], bool]:
    """A function that returns True when no plain row of a part fulfils a condition."""
    where = f"WHERE NOT odd AND {condition} LIMIT 1"
    return lambda cursor, part: (
        not cursor.execute(f"SELECT 1 FROM {part.relation} {where}").fetchall()
    )


def _metadata_names(cursor: Cursor, part: Part) -> frozenset[str]:
    query = f"SELECT DISTINCT json_keys(meta) FROM {part.relation} WHERE meta IS NOT NULL"
    return frozenset(name for (names,) in cursor.execute(query).fetchall() for name in names)
