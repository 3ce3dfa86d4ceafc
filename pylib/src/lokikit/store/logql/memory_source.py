"""A list of rows as a source of queries, for tests of rules and of the evaluator itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lokikit.fields import DETECTED_LEVEL
from lokikit.store.levels import detect_level
from lokikit.store.logql.matchers import selects
from lokikit.store.rows import Direction, Row

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher, Stage

_ROWS_BETWEEN_CHECKS = 512


class MemorySource:
    """Rows in memory, with the level that Loki detects added to their metadata.

    Args:
        rows: in any order; equal rows are kept once.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows: list[Row] = []
        self._known: set[tuple[object, ...]] = set()
        self._streams: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
        self.add(rows)

    def add(self, rows: Iterable[Row]) -> None:
        """Take more rows."""
        for row in rows:
            stream = tuple(sorted(row.labels.items()))
            key = (stream, row.timestamp_ns, row.line, tuple(sorted(row.metadata.items())))
            if key not in self._known:
                self._known.add(key)
                self._rows.append(self._leveled(row, self._streams.setdefault(stream, row.labels)))
        self._rows.sort(key=lambda row: row.timestamp_ns)

    @staticmethod
    def _leveled(row: Row, labels: Mapping[str, str]) -> Row:
        metadata = dict(row.metadata)
        if DETECTED_LEVEL not in metadata:
            level = detect_level(row.line, metadata, labels)
            if level is not None:
                metadata[DETECTED_LEVEL] = level
        return Row(row.timestamp_ns, labels, metadata, row.line)

    def streams(
        self, matchers: Sequence[Matcher], start_ns: int, end_ns: int
    ) -> list[Mapping[str, str]]:
        """The labels of each selected stream that has a line in the span."""
        rows = self.rows(matchers, start_ns, end_ns)
        return list({id(row.labels): row.labels for row in rows}.values())

    def rows(  # noqa: PLR0913 - as the protocol has it
        self,
        matchers: Sequence[Matcher],
        start_ns: int,
        end_ns: int,
        *,
        direction: Direction = "forward",
        prefilter: Sequence[Stage] = (),  # noqa: ARG002 - leaving rows out is optional
        check: Callable[[], None] = lambda: None,
    ) -> Iterator[Row]:
        """The rows of the selected streams in the span, ordered by time."""
        selected: dict[int, bool] = {}
        rows = self._rows if direction == "forward" else reversed(self._rows)
        for number, row in enumerate(rows):
            if number % _ROWS_BETWEEN_CHECKS == 0:
                check()
            if not start_ns <= row.timestamp_ns < end_ns:
                continue
            stream = id(row.labels)
            if stream not in selected:
                selected[stream] = selects(matchers, row.labels)
            if selected[stream]:
                yield row
