"""The ASGI application: Loki's paths over one store."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lokikit.store.api import status
from lokikit.store.api.http import (
    ApiRequest,
    DisconnectedError,
    Receive,
    Response,
    Route,
    Router,
    Send,
    text_response,
)
from lokikit.store.api.metrics import CONTENT_TYPE, ServerCounters, write_metrics
from lokikit.store.api.tail_server import TailServer
from lokikit.store.errors import StoreError

if TYPE_CHECKING:
    from lokikit.store.api.engine import Engine
    from lokikit.store.api.pushes import Pushes
    from lokikit.store.api.queries import Queries
    from lokikit.store.api.work import Workers
    from lokikit.store.segments.store import Store

_log = logging.getLogger("lokikit.store")
_API = "/loki/api/v1"
_PUSHES = frozenset({f"{_API}/push", "/api/prom/push"})
_GET = frozenset({"GET"})
_POST = frozenset({"POST"})
_ASK = _GET | _POST
_NO_CONTENT, _FAILED = 204, 500


class App:
    """Loki's API."""

    def __init__(self, store: Store, engine: Engine, workers: Workers) -> None:
        self._store, self._limits, self._workers = store, engine.limits, workers
        self.counters = ServerCounters()
        self._engine = engine
        self._tails = TailServer(store, engine, workers, self.counters)
        self._router = Router([*self._query_routes(), *self._other_routes()])

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, or serve one websocket."""
        if scope["type"] == "websocket":
            await self._tails.serve(scope, receive, send)
        elif scope["type"] == "http":
            request = ApiRequest(scope, receive)
            try:
                response = await self._answer(request)
            except DisconnectedError:
                return
            self._count(request, response)
            await response.send_by(send)

    async def _answer(self, request: ApiRequest) -> Response:
        try:
            return await self._router.answer(request)
        except StoreError as error:
            return text_response(str(error), error.status)
        except (DisconnectedError, MemoryError):
            raise
        except Exception:  # noqa: BLE001 - one broken request must not end the server
            _log.exception("%s %s failed", request.method, request.path)
            return text_response("the store cannot answer this; its log has the reason\n", _FAILED)

    def _count(self, request: ApiRequest, response: Response) -> None:
        if request.path in _PUSHES:
            self.counters.add("pushes", status=response.status)
        elif request.path.startswith(_API):
            self.counters.add("queries", status=response.status)

    @cached_property
    def _queries(self) -> Queries:
        """The side of queries: its import is half of all, and pushes need not wait for it."""
        from lokikit.store.api.queries import Queries  # noqa: PLC0415 - as above

        return Queries(self._store, self._engine, self._workers)

    @cached_property
    def _pushes(self) -> Pushes:
        """The side of pushes, whose import a start need not wait for either."""
        from lokikit.store.api.pushes import Pushes  # noqa: PLC0415 - as above

        engine = self._engine
        return Pushes(self._store, engine.limits, self._workers, self.counters, engine.clock_ns)

    async def _push(self, request: ApiRequest) -> Response:
        return await self._pushes.answer(request)

    def _ask(self, name: str) -> Callable[[ApiRequest], Awaitable[Response]]:
        """The handler with this name, found when it is called."""

        async def ask(request: ApiRequest) -> Response:
            response: Response = await getattr(self._queries, name)(request)
            return response

        return ask

    def _query_routes(self) -> list[Route]:
        handlers = {
            "query": "instant",
            "query_range": "range",
            "labels": "labels",
            "label": "labels",
            "label/{}/values": "label_values",
            "series": "series",
            "index/stats": "stats",
            "index/volume": "volume_total",
            "index/volume_range": "volume_range",
            "detected_fields": "detected_fields",
            "detected_field/{}/values": "detected_values",
            "detected_labels": "detected_labels",
            "patterns": "patterns",
        }
        return [Route(f"{_API}/{path}", _ASK, self._ask(name)) for path, name in handlers.items()]

    def _other_routes(self) -> list[Route]:
        return [
            *(Route(path, _POST, self._push) for path in sorted(_PUSHES)),
            Route(f"{_API}/tail", _ASK, self._ask("tail")),
            Route(f"{_API}/format_query", _ASK, status.format_query),
            Route(f"{_API}/status/buildinfo", _GET, status.build_info),
            Route(f"{_API}/rules", _GET, status.no_rules),
            Route("/api/prom/rules", _GET, status.no_rules),
            Route("/prometheus/api/v1/rules", _GET, status.no_groups),
            Route("/prometheus/api/v1/alerts", _GET, status.no_alerts),
            Route(f"{_API}/drilldown-limits", _GET, self._drilldown_limits),
            Route("/otlp/v1/logs", _POST, status.no_otlp),
            Route("/ready", _GET, status.ready),
            Route("/services", _GET, status.services),
            Route("/config", _GET, self._config),
            Route("/metrics", _ASK | {"HEAD"}, self._metrics),
            Route("/flush", _ASK, self._flush),
        ]

    async def _drilldown_limits(self, request: ApiRequest) -> Response:
        return status.drilldown_limits(self._limits, request.header("x-scope-orgid"))

    async def _config(self, _request: ApiRequest) -> Response:
        return status.config_text(self._limits)

    async def _metrics(self, _request: ApiRequest) -> Response:
        stored = {**self._store.metrics(), "tails": self._tails.open}
        text = write_metrics(self.counters, stored)
        return Response(200, text.encode(), CONTENT_TYPE)

    async def _flush(self, _request: ApiRequest) -> Response:
        await self._workers.push(self._store.flush)
        return Response(_NO_CONTENT)
