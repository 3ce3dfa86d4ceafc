"""What the API needs from the store beyond rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from lokikit.store.rows import RowSource

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher
    from lokikit.store.segments.database import Cursor
    from lokikit.store.segments.schema import Part, PushedEntry
    from lokikit.store.segments.streams import Labels


class ServedStore(RowSource, Protocol):
    """The store, as `lokikit.store.segments.store.Store` is it."""

    def push(self, batch: Sequence[PushedEntry]) -> None:
        """Return when the lines are on the disk and visible."""

    def subscribe(self, callback: Callable[[list[PushedEntry]], None]) -> Callable[[], None]:
        """Have the new lines of each batch; the answer ends that."""

    def flush(self) -> None:
        """Return when all lines are in segments."""

    def volume(
        self, matchers: Sequence[Matcher], start_ns: int, end_ns: int
    ) -> dict[Labels, tuple[int, int]]:
        """Bytes and lines of each selected stream."""

    def cursor(self) -> Cursor:
        """A DuckDB connection of its own, for one thread."""

    def relations(self, start_ns: int, end_ns: int) -> list[Part]:
        """The parts that may have lines of that span."""

    def stream_numbers(self, matchers: Sequence[Matcher]) -> dict[int, Mapping[str, str]]:
        """Number -> labels of the selected streams."""

    def oldest_kept_ns(self) -> int:
        """Time before which lines count as deleted."""

    def metrics(self) -> dict[str, int]:
        """Counts since the opening, and what there is now."""
