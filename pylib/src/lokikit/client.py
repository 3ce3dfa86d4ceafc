"""Loki's query side: entries and samples, complete, in order, in bounded memory."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from lokikit.answers import LogEntry, Sample, read_samples, read_streams
from lokikit.errors import SettingsError, UnreachableError
from lokikit.feed import open_feed
from lokikit.paging import MAX_PAGE_ENTRIES, Direction, Pager
from lokikit.tailing import Tail
from lokikit.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from lokikit.errors import LokikitError

__all__ = ["LogEntry", "Loki", "Sample", "is_log_query"]

_READY_TIMEOUT_S = 2
_PRELUDE = re.compile(r"(?:[\s(]|#[^\n]*)*")
"""What may stand before the selector: spaces, comments, parentheses. Matches always."""


class Loki:
    """A Loki to ask. Not for use by several threads at once.

    Args:
        url: its address, `http://127.0.0.1:3100`.
        tenant: the tenant to ask for (`X-Scope-OrgID`), when Loki has several.
        auth: a user and a password, or a bearer token.
        timeout_s: how long one question may take, with its retries.
        page_entries: the most that this Loki gives per question (`max_entries_limit_per_query`).
    """

    def __init__(
        self,
        url: str,
        *,
        tenant: str | None = None,
        auth: tuple[str, str] | str | None = None,
        timeout_s: float = 10,
        page_entries: int = MAX_PAGE_ENTRIES,
    ) -> None:
        self._transport = Transport(url, tenant=tenant, auth=auth, timeout_s=timeout_s)
        self._pager = Pager(self._fetch, page_entries)

    def query_range(
        self,
        query: str,
        start_ns: int,
        end_ns: int,
        limit: int | None = None,
        direction: Direction = "forward",
    ) -> Iterator[LogEntry]:
        """The entries from `start_ns` on and before `end_ns`, each once, ordered by time.

        Args:
            query: a log query; `range_samples` and `instant` take metrics queries.
            start_ns: nanoseconds since 1970.
            end_ns: likewise.
            limit: stop after so many; `None` pages on to the end.
            direction: `"forward"` starts with the oldest, `"backward"` with the newest.

        Raises:
            SettingsError: Loki finds the query wrong.
            RefusedError: Loki answers with another error.
            UnreachableError: no answer within the time limit.
        """
        return self._pager.entries(_log_query(query), start_ns, end_ns, limit, direction)

    def instant(self, query: str, time_ns: int | None = None) -> list[Sample]:
        """The value of each series of a metrics query, now or at `time_ns`.

        Raises:
            LokikitError: as `query_range`.
        """
        parameters: dict[str, str | int] = {"query": query, "time": time_ns or time.time_ns()}
        return read_samples(self._transport.ask("/loki/api/v1/query", parameters))

    def range_samples(self, query: str, start_ns: int, end_ns: int, step_s: float) -> list[Sample]:
        """The values of each series of a metrics query, one every `step_s`.

        Raises:
            LokikitError: as `query_range`.
        """
        span: dict[str, str | int] = {"start": start_ns, "end": end_ns, "step": str(step_s)}
        answer = self._transport.ask("/loki/api/v1/query_range", {"query": query, **span})
        return read_samples(answer)

    def tail(
        self,
        query: str,
        *,
        since_ns: int | None = None,
        on_lost: Callable[[LokikitError], None] = lambda _: None,
    ) -> Generator[LogEntry, None, None]:
        """The entries from `since_ns` (now, unless told) on, for ever, as they arrive.

        Over a lost connection nothing is lost and nothing comes twice, as `Tail` explains.

        Args:
            query: a log query.
            since_ns: nanoseconds since 1970.
            on_lost: is told why the connection was lost, once for each loss.

        Raises:
            LokikitError: as `query_range`, for the first answer; later only what a new
                connection cannot mend.
        """
        query = _log_query(query)
        return Tail(
            lambda start_ns, end_ns: self._pager.entries(query, start_ns, end_ns),
            lambda: open_feed(self._transport, query),
            on_lost=on_lost,
        ).entries(since_ns)

    def ready(self) -> bool:
        """Whether Loki takes pushes and answers queries."""
        try:
            return bool(self._transport.get("/ready", {}, _READY_TIMEOUT_S).ok)
        except UnreachableError:
            return False

    def labels(self) -> list[str]:
        """The names of all labels of the last hours (Loki's default: six)."""
        return list(self._transport.ask("/loki/api/v1/labels", {}) or ())

    def series(self, selector: str, start_ns: int, end_ns: int) -> list[Mapping[str, str]]:
        """The labels of each stream that `selector` selects."""
        parameters: dict[str, str | int] = {"match[]": selector, "start": start_ns, "end": end_ns}
        return list(self._transport.ask("/loki/api/v1/series", parameters) or ())

    def _fetch(
        self, query: str, start_ns: int, end_ns: int, limit: int, direction: Direction
    ) -> list[LogEntry]:
        data = self._transport.ask(
            "/loki/api/v1/query_range",
            {
                "query": query,
                "start": start_ns,
                "end": end_ns,
                "limit": limit,
                "direction": direction,
            },
        )
        if data["resultType"] != "streams":
            raise SettingsError(f"this needs a query for lines, {{…}}, not for metrics: {query}")
        entries = list(read_streams(data["result"]))
        entries.sort(key=_timestamp_ns, reverse=direction == "backward")
        return entries


def is_log_query(query: str) -> bool:
    """Whether LogQL's grammar can only read `query` as one for lines, not for metrics."""
    return query[_PRELUDE.match(query).end() :].startswith("{")  # type: ignore[union-attr]


def _log_query(query: str) -> str:
    """The query without parentheses around it: no stage can follow those."""
    query = query.strip()
    while is_log_query(query) and query.startswith("(") and query.endswith(")"):
        query = query[1:-1].strip()
    return query


def _timestamp_ns(entry: LogEntry) -> int:
    return entry.timestamp_ns
