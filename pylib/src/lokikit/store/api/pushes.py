"""The way of a push through the server: read, checked, stored, answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lokikit.store.api.http import ApiRequest, Response
from lokikit.store.api.push import read_push, unpack_push
from lokikit.store.api.rates import ActiveStreams, ByteRate
from lokikit.store.api.validation import Checked, Validator
from lokikit.store.errors import PushError

if TYPE_CHECKING:
    from lokikit.store.api.metrics import ServerCounters
    from lokikit.store.api.work import Workers
    from lokikit.store.limits import StoreLimits
    from lokikit.store.segments.store import Store

TOO_MANY = 429
_NO_CONTENT = 204
_LARGE_BYTES = 8 << 20


class Pushes:
    """Answers pushes."""

    def __init__(
        self,
        store: Store,
        limits: StoreLimits,
        workers: Workers,
        counters: ServerCounters,
        clock_ns: Callable[[], int],
    ) -> None:
        self._store, self._limits = store, limits
        self._workers, self._counters = workers, counters
        self._validator = Validator(limits, clock_ns)
        self._rate = ByteRate(limits.ingestion_rate_bytes, limits.ingestion_burst_bytes)
        self._streams = ActiveStreams(limits.max_streams)
        self._large = threading.Lock()

    async def answer(self, request: ApiRequest) -> Response:
        """204, or Loki's refusal; what a refusal does not name is stored all the same.

        Raises:
            PushError: the push is refused, whole or in part.
        """
        body = await request.body(self._limits.max_body_bytes)
        content_type, encoding = request.header("content-type"), request.header("content-encoding")
        take = partial(self._take, body, content_type, encoding)
        try:
            await self._workers.push(take)
        except PushError as error:
            # Loki ends these texts with a line end, unlike those of queries.
            raise PushError(f"{error}\n", error.status) from error
        return Response(_NO_CONTENT)

    def _take(self, body: bytes, content_type: str, encoding: str) -> None:
        content = unpack_push(body, content_type, encoding, self._limits.max_body_bytes)
        if len(content) < _LARGE_BYTES:
            self._read_and_store(content, content_type)
            return
        with self._large:  # several at once would need memory without a bound
            self._read_and_store(content, content_type)

    def _read_and_store(self, content: bytes, content_type: str) -> None:
        streams = read_push(content, content_type)
        checked = self._validator.check(streams)
        if not self._rate.admit(checked.size_bytes):
            raise PushError(self._rate_problem(checked), TOO_MANY)
        entries, problem = self._streams.admit(checked.entries)
        if entries:
            self._store.push(entries)
            self._counters.add("received_lines", len(entries))
            self._counters.add("received_bytes", checked.size_bytes)
        if checked.refusals:
            self._counters.add("refused_lines", sum(checked.refusals.values()))
            raise PushError(checked.refusal_text())
        if problem:
            self._counters.add("refused_lines", len(checked.entries) - len(entries))
            raise PushError(problem, TOO_MANY)

    def _rate_problem(self, checked: Checked) -> str:
        return (
            f"ingestion rate limit exceeded for user fake (limit: {self._rate.per_s} bytes/sec) "
            f"while attempting to ingest '{len(checked.entries)}' lines totaling "
            f"'{checked.size_bytes}' bytes, reduce log volume or contact your Loki administrator "
            "to see if the limit can be increased"
        )
