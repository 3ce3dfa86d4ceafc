"""Loki's query API: entries and samples, complete, in order, in bounded memory."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lokikit.delivery.http_session import Tls
from lokikit.delivery.push_api import is_page
from lokikit.errors import LokikitError, SettingsError, UnreachableError
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
    from typing_extensions import Self


__all__ = ["LogEntry", "LogQuery", "Loki", "Moment", "Sample", "Volume", "is_log_query", "logs"]

_READY_TIMEOUT_S = 2
_NEAR_NS = 3600 * NS_PER_S
_PRELUDE = re.compile(r"(?:[\s(]|#[^\n]*)*")
"""What may stand before the selector: spaces, comments, parentheses. Matches always."""

Parameters = dict[str, "str | int"]


class Loki:
    """A client of a Loki's query API; for one thread at a time.

    A time is text (`"1h"` ago, `"2026-11-21"`, `"2026-11-21T10:00:00Z"`, `"now"`), nanoseconds
    since 1970, a `datetime` with a zone, or a `timedelta` ago. A query that Loki cannot answer now
    (429, 5xx, no connection) is retried within `timeout_s`. All methods raise

    - `SettingsError` when a time or the query is wrong,
    - `UnreachableError` when no answer comes within `timeout_s`,
    - `RefusedError` when Loki answers with another error.

    Args:
        url: address of the Loki, `http://127.0.0.1:3100`.
        tenant: tenant to query (`X-Scope-OrgID`), of a Loki with several tenants.
        auth: a user and a password, or a bearer token.
        timeout_s: seconds that a query may take, with its retries.
        page_entries: most entries per answer of this Loki (`max_entries_limit_per_query`).
        ca_file: PEM file of certificates to trust; by default that of `REQUESTS_CA_BUNDLE`, else
            the public authorities in the package `certifi`.
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
        """Return a client of the Loki that `LOKI_URL` names, with the tenant and credentials there.

        Raises:
            SettingsError: `LOKI_URL` is not set.
        """
        access = read_loki_access(environ)
        if not access.url:
            raise SettingsError(
                "nothing says where Loki is: set LOKI_URL, or use Loki(url); "
                "that of lokikit up is http://127.0.0.1:3100, unless LOKI_PORT moved it."
            )
        return cls(access.url, tenant=access.tenant, auth=access.auth)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next query opens another."""
        self._transport.close()

    def query(
        self, query: str, since: Moment = "1h", until: Moment = "now", limit: int = 100
    ) -> list[LogEntry]:
        """Return the newest entries of a log query, newest first, at most `limit`."""
        return list(self.query_range(query, since, until, limit, "backward"))

    def query_range(
        self,
        query: str,
        start: Moment = "1h",
        end: Moment = "now",
        limit: int | None = None,
        direction: Direction = "forward",
    ) -> Iterator[LogEntry]:
        """Yield the entries from `start` up to, but not including, `end`, each once, by time.

        Fetches page after page as the entries are taken, and holds one page at a time.

        Args:
            query: a log query; `range_samples` and `instant` take metric queries.
            start: first moment.
            end: moment behind the last.
            limit: number of entries to stop after; `None` for all.
            direction: `"forward"` yields the oldest first, `"backward"` the newest.
        """
        now_ns = time.time_ns()
        span = moment_ns(start, "start", now_ns), moment_ns(end, "end", now_ns)
        return self._pager.entries(_log_query(query), *span, limit, direction)

    def instant(self, query: str, at: Moment = "now") -> list[Sample]:
        """Return the value of each series of a metric query, now or at another moment."""
        asked: Parameters = {"query": query, "time": moment_ns(at, "at", time.time_ns())}
        return read_samples(self._transport.ask("/loki/api/v1/query", asked))

    def range_samples(self, query: str, start: Moment, end: Moment, step_s: float) -> list[Sample]:
        """Return the values of each series of a metric query, one every `step_s` seconds."""
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
        """Yield the entries from `since` on, for ever, as they arrive.

        A lost connection loses no entry and repeats none, as `Tail` explains. Raises errors of the
        first answer; later only those that a new connection does not solve.

        Args:
            query: a log query.
            since: first moment.
            on_lost: gets the reason of each lost connection, once.
            is_stopped: called at least every second; the entries end when it returns True.
        """
        query = _log_query(query)
        return Tail(
            lambda start_ns, end_ns: self._pager.entries(query, start_ns, end_ns),
            lambda: open_feed(self._transport, query),
            on_lost=on_lost,
            is_stopped=is_stopped,
        ).entries(moment_ns(since, "since", time.time_ns()))

    def ready(self) -> bool:
        """Return True when Loki takes pushes and answers queries."""
        try:
            answer = self._transport.get("/ready", {}, _READY_TIMEOUT_S)
        except UnreachableError:
            return False
        return bool(answer.ok) and not is_page(answer.text)

    def labels(self, name: str = "", since: Moment = "6h") -> list[str]:
        """Return the names of all labels, or the values of the label `name`."""
        path = f"label/{quote(name, safe='')}/values" if name else "labels"
        return list(self._transport.ask(f"/loki/api/v1/{path}", _span(since, "now")) or ())

    def series(
        self, selector: str = EVERY_STREAM, start: Moment = "1h", end: Moment = "now"
    ) -> list[Mapping[str, str]]:
        """Return the labels of each stream that `selector` selects."""
        asked: Parameters = {"match[]": selector, **_span(start, end)}
        return list(self._transport.ask("/loki/api/v1/series", asked) or ())

    def volume(
        self,
        selector: str = EVERY_STREAM,
        start: Moment = "1h",
        end: Moment = "now",
        by: str | Sequence[str] = (LABEL_SERVICE,),
    ) -> list[Volume]:
        """Return the bytes that the selected streams hold, largest first.

        Args:
            selector: labels only, without filters.
            start: first moment.
            end: moment behind the last.
            by: labels; streams with the same values of these are added up.
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
        """Return a query for the lines of these streams: `loki.logs(service="api").since("1h")`.

        Args:
            labels: label -> its value; `service="api"` is the label `service_name`.
        """
        return LogQuery.of(self, **labels)

    def last(
        self, service: str, n: int = 50, *, since: Moment = "7d", **fields: Any
    ) -> list[LogEntry]:
        """Return the last `n` lines of a service, oldest first, as `tail -n` shows a file.

        Args:
            service: name of the service.
            n: number of lines.
            since: how far back to look for lines; the kit's Loki keeps a week by default.
            fields: return only lines with these fields; see `LogQuery.where`.
        """
        now_ns = time.time_ns()
        oldest_ns, end_ns = moment_ns(since, "since", now_ns), now_ns + AHEAD_NS
        lines = self.logs(service=service).where(**fields)
        found: list[LogEntry] = []
        # The last hour first: Loki takes a second for a whole week.
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
        entries.sort(key=attrgetter("timestamp_ns"), reverse=direction == "backward")
        return entries


def logs(**labels: str) -> LogQuery:
    """Return a query for the lines of these streams, in the Loki that `LOKI_URL` names.

    Args:
        labels: label -> its value; `service="api"` is the label `service_name`.

    Raises:
        SettingsError: `LOKI_URL` is not set, or a label cannot have such a name.
    """
    return Loki.from_env().logs(**labels)


def is_log_query(query: str) -> bool:
    """Return True when LogQL reads `query` as a log query, not as a metric query."""
    return query[_PRELUDE.match(query).end() :].startswith("{")  # type: ignore[union-attr]


def _log_query(query: str) -> str:
    """Return the query without parentheses around it, which no stage can follow."""
    query = query.strip()
    while is_log_query(query) and query.startswith("(") and query.endswith(")"):
        query = query[1:-1].strip()
    return query


def _span(start: Moment, end: Moment) -> Parameters:
    now_ns = time.time_ns()
    return {"start": moment_ns(start, "start", now_ns), "end": moment_ns(end, "end", now_ns)}
