"""Loki's query side: entries and samples, complete, in order, in bounded memory."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lokikit.delivery.http_session import Tls
from lokikit.delivery.push_api import is_page
from lokikit.errors import SettingsError, UnreachableError
from lokikit.fields import EVERY_STREAM, LABEL_SERVICE, MAX_STREAMS
from lokikit.query.http import Transport
from lokikit.query.live_tail import open_feed
from lokikit.query.log_query import LogQuery
from lokikit.query.paging import MAX_PAGE_ENTRIES, Direction, Pager
from lokikit.query.results import LogEntry, Sample, Volume, read_samples, read_streams, read_volumes
from lokikit.query.tail import AHEAD_NS, Tail
from lokikit.settings import read_loki_access, words_of
from lokikit.times import NS_PER_S, Moment, moment_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

    from typing_extensions import Self

    from lokikit.errors import LokikitError

__all__ = ["LogEntry", "LogQuery", "Loki", "Moment", "Sample", "Volume", "is_log_query", "logs"]

_READY_TIMEOUT_S = 2
_NEAR_NS = 3600 * NS_PER_S
_PRELUDE = re.compile(r"(?:[\s(]|#[^\n]*)*")
"""What may stand before the selector: spaces, comments, parentheses. Matches always."""

Parameters = dict[str, "str | int"]


class Loki:
    """A Loki to ask. Not for use by several threads at once.

    A time is text (`"1h"` ago, `"2026-11-21"`, `"2026-11-21T10:00:00Z"`, `"now"`), nanoseconds
    since 1970, a `datetime` with a zone, or a `timedelta` ago. A question that Loki cannot answer
    now (429, 5xx, no connection) is asked again within `timeout_s`. All methods raise

    - `SettingsError` when a time or the query is wrong,
    - `UnreachableError` when no answer comes within `timeout_s`,
    - `RefusedError` when Loki answers with another error.

    Args:
        url: its address, `http://127.0.0.1:3100`.
        tenant: the tenant to ask for (`X-Scope-OrgID`), when Loki has several.
        auth: a user and a password, or a bearer token.
        timeout_s: how long one question may take, with its retries.
        page_entries: the most that this Loki gives per question (`max_entries_limit_per_query`).
        ca_file: certificates to trust, a PEM file; those of the system unless given.
        client_cert: a PEM file with certificate and key, or a pair of two files.
        verify: `False` trusts any server.
    """

    def __init__(  # noqa: PLR0913 - all but the first by keyword
        self,
        url: str,
        *,
        tenant: str | None = None,
        auth: tuple[str, str] | str | None = None,
        timeout_s: float = 10,
        page_entries: int = MAX_PAGE_ENTRIES,
        ca_file: str | os.PathLike[str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
        verify: bool = True,
    ) -> None:
        tls = Tls(str(ca_file) if ca_file and verify else verify, client_cert)
        self._transport = Transport(url, tenant=tenant, auth=auth, timeout_s=timeout_s, tls=tls)
        self._pager = Pager(self._fetch, page_entries)
        self.url = self._transport.url

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Loki:
        """The Loki that `LOKI_URL` names, asked with `LOKI_ORG_ID` and the credentials there.

        Raises:
            SettingsError: `LOKI_URL` is not set.
        """
        access = read_loki_access(environ)
        if not access.url:
            raise SettingsError("nothing says where Loki is: set LOKI_URL, or use Loki(url).")
        return cls(access.url, tenant=access.tenant, auth=access.auth)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; the next question makes another."""
        self._transport.close()

    def query(
        self, query: str, since: Moment = "1h", until: Moment = "now", limit: int = 100
    ) -> list[LogEntry]:
        """The newest entries of a log query, the newest first; `limit` of them at most."""
        return list(self.query_range(query, since, until, limit, "backward"))

    def query_range(
        self,
        query: str,
        start: Moment = "1h",
        end: Moment = "now",
        limit: int | None = None,
        direction: Direction = "forward",
    ) -> Iterator[LogEntry]:
        """The entries from `start` on and before `end`, each once, ordered by time.

        Asks for one page after the other as the entries are taken, and holds one at a time.

        Args:
            query: a log query; `range_samples` and `instant` take metrics queries.
            start: the first moment.
            end: the moment behind the last.
            limit: stop after so many; `None` pages on to the end.
            direction: `"forward"` starts with the oldest, `"backward"` with the newest.
        """
        now_ns = time.time_ns()
        span = moment_ns(start, "start", now_ns), moment_ns(end, "end", now_ns)
        return self._pager.entries(_log_query(query), *span, limit, direction)

    def instant(self, query: str, at: Moment = "now") -> list[Sample]:
        """The value of each series of a metrics query, now or at another moment."""
        asked: Parameters = {"query": query, "time": moment_ns(at, "at", time.time_ns())}
        return read_samples(self._transport.ask("/loki/api/v1/query", asked))

    def range_samples(self, query: str, start: Moment, end: Moment, step_s: float) -> list[Sample]:
        """The values of each series of a metrics query, one every `step_s`."""
        asked: Parameters = {"query": query, **_span(start, end), "step": str(step_s)}
        return read_samples(self._transport.ask("/loki/api/v1/query_range", asked))

    def tail(
        self,
        query: str,
        *,
        since: Moment = "now",
        on_lost: Callable[[LokikitError], None] = lambda _: None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> Generator[LogEntry, None, None]:
        """The entries from `since` on, for ever, as they arrive.

        Over a lost connection nothing is lost and nothing comes twice, as `Tail` explains. Raises
        on the first answer; later only what a new connection cannot mend.

        Args:
            query: a log query.
            since: the first moment.
            on_lost: is told why the connection was lost, once for each loss.
            is_stopped: asked every second at least; the entries end when it is true.
        """
        query = _log_query(query)
        return Tail(
            lambda start_ns, end_ns: self._pager.entries(query, start_ns, end_ns),
            lambda: open_feed(self._transport, query),
            on_lost=on_lost,
            is_stopped=is_stopped,
        ).entries(moment_ns(since, "since", time.time_ns()))

    def ready(self) -> bool:
        """Whether Loki takes pushes and answers queries."""
        try:
            answer = self._transport.get("/ready", {}, _READY_TIMEOUT_S)
        except UnreachableError:
            return False
        return bool(answer.ok) and not is_page(answer.text)

    def labels(self, name: str = "", since: Moment = "6h") -> list[str]:
        """The names of all labels, or the values of the one called `name`."""
        path = f"label/{quote(name, safe='')}/values" if name else "labels"
        return list(self._transport.ask(f"/loki/api/v1/{path}", _span(since, "now")) or ())

    def series(
        self, selector: str = EVERY_STREAM, start: Moment = "1h", end: Moment = "now"
    ) -> list[Mapping[str, str]]:
        """The labels of each stream that `selector` selects."""
        asked: Parameters = {"match[]": selector, **_span(start, end)}
        return list(self._transport.ask("/loki/api/v1/series", asked) or ())

    def volume(
        self,
        selector: str = EVERY_STREAM,
        start: Moment = "1h",
        end: Moment = "now",
        by: str | Sequence[str] = (LABEL_SERVICE,),
    ) -> list[Volume]:
        """How many bytes the selected streams hold, the largest first: who logs most.

        Args:
            selector: labels only, without filters.
            start: the first moment.
            end: the moment behind the last.
            by: labels; streams that have the same values of these are one.
        """
        asked: Parameters = {
            "query": selector,
            **_span(start, end),
            "targetLabels": ",".join(words_of(by)),
        }
        return read_volumes(
            self._transport.ask("/loki/api/v1/index/volume", {**asked, "limit": MAX_STREAMS})
        )

    def logs(self, **labels: str) -> LogQuery:
        """The lines of the streams with these labels: `loki.logs(service="api").since("1h")`."""
        return LogQuery.of(self, **labels)

    def last(
        self, service: str, n: int = 50, *, since: Moment = "7d", **fields: Any
    ) -> list[LogEntry]:
        """The last `n` lines of a service, the oldest first, as `tail -n` shows a file.

        Args:
            service: its name.
            n: how many.
            since: how far back to look when there are not as many before; a week is what Loki
                keeps, unless it is told otherwise.
            fields: count only lines with these; see `LogQuery.where`.
        """
        now_ns = time.time_ns()
        oldest_ns, end_ns = moment_ns(since, "since", now_ns), now_ns + AHEAD_NS
        lines = self.logs(service=service).where(**fields)
        found: list[LogEntry] = []
        # Near first: to look through a whole week takes Loki a second.
        for start_ns in (max(oldest_ns, now_ns - _NEAR_NS), oldest_ns):
            found += lines.since(start_ns).until(end_ns).limit(n - len(found)).all()
            end_ns = start_ns
        return found[::-1]

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


def logs(**labels: str) -> LogQuery:
    """The lines of the streams with these labels, in the Loki that `LOKI_URL` names.

    Raises:
        SettingsError: `LOKI_URL` is not set, or a name can be none of a label.
    """
    return Loki.from_env().logs(**labels)


def is_log_query(query: str) -> bool:
    """Whether LogQL's grammar can only read `query` as one for lines, not for metrics."""
    return query[_PRELUDE.match(query).end() :].startswith("{")  # type: ignore[union-attr]


def _log_query(query: str) -> str:
    """The query without parentheses around it: no stage can follow those."""
    query = query.strip()
    while is_log_query(query) and query.startswith("(") and query.endswith(")"):
        query = query[1:-1].strip()
    return query


def _span(start: Moment, end: Moment) -> Parameters:
    now_ns = time.time_ns()
    return {"start": moment_ns(start, "start", now_ns), "end": moment_ns(end, "end", now_ns)}


def _timestamp_ns(entry: LogEntry) -> int:
    return entry.timestamp_ns
