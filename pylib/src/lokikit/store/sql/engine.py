"""SQL that can be stopped, and what the fast path needs of a store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher
    from lokikit.store.segments.database import Cursor
    from lokikit.store.segments.schema import Part

_LOOK_EVERY_S = 0.05
_FETCHED_ROWS = 10_000


class SqlStore(Protocol):
    """What the fast path needs of a store."""

    def cursor(self) -> Cursor:
        """A connection to the engine, for one thread."""

    def relations(self, start_ns: int, end_ns: int) -> list[Part]:
        """The parts that may have rows from `start_ns` on before `end_ns`."""

    def stream_numbers(self, matchers: Sequence[Matcher]) -> Mapping[int, Mapping[str, str]]:
        """Number -> labels of the selected streams."""

    def oldest_kept_ns(self) -> int:
        """Time before which lines count as deleted."""


@contextmanager
def stoppable(cursor: Cursor, check: Callable[[], None]) -> Iterator[None]:
    """Interrupt what the cursor does as soon as `check` raises, and raise the same.

    Another thread calls `check` every few hundredths of a second.
    """
    ended = threading.Event()
    problems: list[BaseException] = []

    def watch() -> None:
        try:
            while not ended.wait(_LOOK_EVERY_S):
                check()
        except BaseException as error:  # noqa: BLE001 - raised below, in the query's thread
            problems.append(error)
            cursor.interrupt()

    watcher = threading.Thread(target=watch, name="lokikit-sql-watch", daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        if problems:
            raise problems[0] from error
        raise
    finally:
        ended.set()
        watcher.join()
    if problems:
        raise problems[0]


def fetched(cursor: Cursor, query: str) -> Iterator[tuple[Any, ...]]:
    """The rows of a query's answer."""
    cursor.execute(query)
    while rows := cursor.fetchmany(_FETCHED_ROWS):
        yield from rows
