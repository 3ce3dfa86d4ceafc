"""The handlers of queries: from a request to an answer, by way of a thread for queries."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.store.api import detected_fields, metadata_queries, query, volume
from lokikit.store.api.http import JSON, ApiRequest, Form, Response, json_response, text_response
from lokikit.store.api.parameters import read_span, read_step
from lokikit.store.api.results import statistics
from lokikit.store.api.tail_server import read_flags
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.units import MAX_NS

if TYPE_CHECKING:
    from lokikit.store.api.detected_fields import FieldRequest
    from lokikit.store.api.engine import Engine
    from lokikit.store.api.volume import VolumeRequest
    from lokikit.store.api.work import Stop, Workers
    from lokikit.store.segments.store import Store


class Queries:
    """Answers queries."""

    def __init__(self, store: Store, engine: Engine, workers: Workers) -> None:
        self._store, self._engine, self._workers = store, engine, workers

    async def instant(self, request: ApiRequest) -> Response:
        """`query`."""
        asked = query.read_instant(await request.form(), self._engine.clock_ns())
        return await self._data(request, partial(query.answer, self._engine, asked, ()))

    async def range(self, request: ApiRequest) -> Response:
        """`query_range`."""
        now_ns, limits = self._engine.clock_ns(), self._engine.limits
        asked = query.read_range(await request.form(), limits, now_ns)
        flags = read_flags(request)
        return await self._data(request, partial(query.answer, self._engine, asked, flags))

    async def volume_total(self, request: ApiRequest) -> Response:
        """`index/volume`."""
        asked = await self._volume(request, ranged=False)
        return await self._data(request, lambda _: _counted(volume.volume_data(self._store, asked)))

    async def volume_range(self, request: ApiRequest) -> Response:
        """`index/volume_range`."""
        asked = await self._volume(request, ranged=True)

        if asked.step_ns > asked.span.length_ns:  # Loki then answers as without steps
            return await self._data(
                request, lambda _: _counted(volume.volume_data(self._store, asked))
            )

        def work(stop: Stop) -> dict[str, Any]:
            return _counted(volume.volume_range_data(self._store, asked, stop))

        return await self._data(request, work)

    async def labels(self, request: ApiRequest) -> Response:
        """`labels`."""
        return await self._metadata(request, metadata_queries.label_names)

    async def label_values(self, request: ApiRequest) -> Response:
        """`label/NAME/values`."""
        read = partial(metadata_queries.label_values, name=request.values[0])
        return await self._metadata(request, read)

    async def series(self, request: ApiRequest) -> Response:
        """`series`."""
        return await self._metadata(request, metadata_queries.series)

    async def stats(self, request: ApiRequest) -> Response:
        """`index/stats`."""
        return await self._metadata(request, metadata_queries.index_stats)

    async def detected_labels(self, request: ApiRequest) -> Response:
        """`detected_labels`."""
        return await self._metadata(request, metadata_queries.detected_labels)

    async def detected_fields(self, request: ApiRequest) -> Response:
        """`detected_fields`."""
        asked = await self._fields(request)
        return await self._run(request, partial(detected_fields.fields_answer, self._engine, asked))

    async def detected_values(self, request: ApiRequest) -> Response:
        """`detected_field/NAME/values`."""
        asked = await self._fields(request)
        name = request.values[0]
        read = partial(detected_fields.values_answer, self._engine, asked, name)
        return await self._run(request, read)

    async def patterns(self, request: ApiRequest) -> Response:
        """`patterns`: none, for the store finds no patterns in lines."""
        form = await request.form()
        parse_query(form.get("query"))
        read_step(form, read_span(form, self._engine.clock_ns(), 0), MAX_NS)
        return json_response({"status": "success", "data": []})

    async def tail(self, request: ApiRequest) -> Response:
        """`tail` without a websocket."""
        parse_query((await request.form()).get("query"))
        return text_response("Bad Request\n", 400)

    async def _fields(self, request: ApiRequest) -> FieldRequest:
        now_ns, max_lines = self._engine.clock_ns(), self._engine.limits.max_entries
        return detected_fields.read_fields(await request.form(), now_ns, max_lines)

    async def _volume(self, request: ApiRequest, *, ranged: bool) -> VolumeRequest:
        max_points = self._engine.limits.query.max_points
        now_ns = self._engine.clock_ns()
        form = await request.form()
        return volume.read_volume(form, now_ns, max_points=max_points, ranged=ranged)

    async def _metadata(
        self, request: ApiRequest, read: Callable[[Store, Form, int], Any]
    ) -> Response:
        form, now_ns = await request.form(), self._engine.clock_ns()
        return await self._run(request, lambda _: read(self._store, form, now_ns), is_lookup=True)

    async def _data(self, request: ApiRequest, work: Callable[[Stop], dict[str, Any]]) -> Response:
        return await self._run(request, lambda stop: {"status": "success", "data": work(stop)})

    async def _run(
        self, request: ApiRequest, work: Callable[[Stop], Any], *, is_lookup: bool = False
    ) -> Response:
        body = await self._workers.query(
            request.receive, lambda stop: _encode(work(stop)), is_lookup=is_lookup
        )
        return Response(200, body, JSON)


def _counted(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "stats": statistics(0.0, 0, 0, len(data["result"]))}


def _encode(content: Any) -> bytes:
    """The answer as JSON; halves of surrogate pairs, which a template can make, are replaced."""
    try:
        return orjson.dumps(content) + b"\n"
    except TypeError:
        return orjson.dumps(_cleaned(content)) + b"\n"


def _cleaned(content: Any) -> Any:
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode()
    if isinstance(content, dict):
        return {_cleaned(key): _cleaned(value) for key, value in content.items()}
    return [_cleaned(one) for one in content] if isinstance(content, (list, tuple)) else content
