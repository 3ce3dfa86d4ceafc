"""A stored line as queries see it, and what a query needs of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher, Stage

Direction = Literal["forward", "backward"]


@dataclass(frozen=True, slots=True)
class Row:
    """One stored line.

    Args:
        timestamp_ns: nanoseconds since 1970.
        labels: the labels of its stream; rows of one stream share the object.
        metadata: its structured metadata, `detected_level` included.
        line: the text.
    """

    timestamp_ns: int
    labels: Mapping[str, str]
    metadata: Mapping[str, str]
    line: str


class RowSource(Protocol):
    """A source of stored lines: the store, or a list of rows in a test."""

    def streams(
        self, matchers: Sequence[Matcher], start_ns: int, end_ns: int
    ) -> list[Mapping[str, str]]:
        """Labels of each selected stream that may have a line in that span, its end excluded."""

    def rows(  # noqa: PLR0913 - all but the first three by keyword
        self,
        matchers: Sequence[Matcher],
        start_ns: int,
        end_ns: int,
        *,
        direction: Direction = "forward",
        prefilter: Sequence[Stage] = (),
        check: Callable[[], None] = lambda: None,
    ) -> Iterator[Row]:
        """The rows of the selected streams, `start_ns` <= time < `end_ns`, ordered by time.

        Args:
            matchers: what the labels of a stream must fulfil, all of them.
            start_ns: the first moment.
            end_ns: the moment behind the last.
            direction: `forward` yields the oldest first.
            prefilter: the first stages of the query, or all; rows that they drop may be missing.
            check: raises when the query has to stop (time, memory, a client that left); called
                every few hundred rows.
        """
