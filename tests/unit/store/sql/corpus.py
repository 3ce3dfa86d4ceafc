"""Nasty lines, in a store whose first half is sealed, and the queries that are asked of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import orjson

from lokikit.store.levels import detect_level
from lokikit.store.logql.syntax import BinaryOperation, RangeAggregation, VectorAggregation
from lokikit.store.segments.schema import PushedEntry
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lokikit.store.logql.series import SampleRequest, Series
    from lokikit.store.logql.syntax import Expression
    from lokikit.store.sql.samples import SqlSampler

START_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000
API = {"service_name": "api", "env": "prod"}
SHOP = {"service_name": "shop", "env": "prod", "cluster": "west", "http_method": "STREAM"}
CANARY = {"service_name": "canary", "env": "test"}
PLAIN = {"service_name": "plain"}

_REQUESTS = [
    {"http_status": 200, "http_route": "/a", "http_method": "GET", "duration_ms": 12.5},
    {"http_status": 200, "http_route": "/b", "http_method": "GET", "duration_ms": 3},
    {"http_status": 404, "http_route": "/a", "http_method": "POST", "duration_ms": 0.1},
    {"http_status": 500, "http_route": "/b", "http_method": "GET", "duration_ms": 1e22},
    {"http_status": 500, "http_route": "", "http_method": "GET", "duration_ms": -0.5},
    {"http_status": None, "http_route": "/a", "duration_ms": "7"},
    {"http_status": "200", "duration_ms": "soon"},
    {"http_status": "", "duration_ms": ""},
    {"http_status": [500], "duration_ms": {"a": 1}},
    {"http_status": True, "duration_ms": False},
    {"http_status": 200, "duration_ms": 12345678901234567890},
    {"http_status": 200, "duration_ms": "0x10", "request_id": "in-line"},
    {"http_status": 200, "duration_ms": "+5", "order": {"id": 5, "total": 1.25}},
    {"http_status": 200, "duration_ms": "1_000", "order_id": "o-1", "price": 1.5, "paid": True},
    {"http_status": 503, "duration_ms": "5e-1", "order_id": 77, "price": None, "tags": ["a"]},
]
_TASKS = [
    {"task_name": "mail", "action": "run", "task_id": "1"},
    {"task_name": "mail", "action": "success", "task_id": "1", "runtime_s": 0.25},
    {"task_name": "mail", "action": "run", "task_id": "2"},
    {"task_name": "bill", "action": "fail", "task_id": 3, "runtime_s": 1.75},
    {"task_name": "bill", "action": "", "task_id": 3, "runtime_s": "x"},
    {"task_name": "line\nbreak", "action": "crash", "task_id": "4", "runtime_s": 2},
]
_ERRORS = [
    {"level": "error", "exc_type": "ValueError", "exc_message": "no 'quotes' \"here\""},
    {"level": "critical", "exc_type": "KeyError", "exc_message": "ümläut\nsecond"},
    {"level": "error", "exc_type": "ValueError", "exc_message": ""},
]
_CANARY = [
    {"canary_lost": 0, "canary_late": 1, "canary_duplicates": 0, "contact_points": 2},
    {"canary_lost": 3, "canary_late": 0, "canary_round_trip_s": 0.75, "agent_dropped": 5},
    {"canary_round_trip_s": 0.1, "contact_points": 1, "agent_dropped": 0},
]
_LINES = [
    "plain text with an error in it",
    "",
    "   ",
    '{"http_status":',
    '{"http_status": 200, "duration_ms": 1.50}',
    '{"http_status":1e3,"duration_ms":1e3}',
    '{"http_status":200,"http_status":201,"duration_ms":1,"duration_ms":2}',
    '{"http_status":200} trailing',
    '{"http.status":200,"1st":2,"task_name":"dotted"}',
    '{"http":{"status":200},"exc":{"type":"Nested"}}',
    '["http_status"]',
    '  {"exc_type":"Indented","level":"error"}',
    '{"exc_type":"Cut","level":"err',
    '{"duration_ms":1,"exc_type":"\\u0000nul"}',
    '{"exc_type":"bad \\ud800 half"}',
    "one\ntwo",
    'lokikit: 5 lines dropped, "dropped":3',
    "level=error msg=logfmt duration_ms=5",
    "postgres://user:secret@host/db",
    '{"exc_type": "ümläut", "exc_message": "\\u00fc"}',
    '{"order": {"id": 9}, "exc_type": "Spaced", "price": 1e-07, "http_status": 200}',
    '{"order": {"id": 9}, "exc_type": "Spaced", "price": 2.5, "http_status": 200}',
    '{"exc_type": "Two  spaces",  "http_status": 200}',
    '{"message":"back`tick","http_status":302,"duration_ms":0}',
]
_METADATA = [
    {},
    {"request_id": "r-1", "host": "h1"},
    {"request_id": "r-2"},
    {"trace_id": "r-1", "http_status": "meta"},
    {"host": 'h "2"\\', "env": "metadata's"},
]


def texts() -> list[str]:
    """The lines, most of them as the kit's formatter writes them."""
    fields = [*_REQUESTS, *_TASKS, *_ERRORS, *_CANARY]
    kit = [
        orjson.dumps({"level": "info", "logger": "shop.orders", **one}).decode() for one in fields
    ]
    spaced = [json.dumps(one) for one in fields[::2]]
    return [*kit, *spaced, *_LINES]


def entries(rounds: int = 3) -> list[PushedEntry]:
    """The lines, some streams and metadata in turn, one a second, some at the same moment."""
    streams = (API, SHOP, CANARY, PLAIN)
    lines = texts()
    made = []
    for number in range(rounds * len(lines)):
        stream = streams[(number + number // len(lines)) % len(streams)]
        own = _METADATA[(number + number // 7) % len(_METADATA)]
        line = lines[number % len(lines)]
        # A field of metadata would keep this broken line, and each query of the kit fail.
        taken = own if line != '{"http_status":' else {}
        metadata = {name: value for name, value in taken.items() if name not in stream}
        level = detect_level(line, metadata, stream)
        time_ns = START_NS + number * SECOND_NS - (number % 5 == 0) * SECOND_NS
        made.append(PushedEntry(stream, time_ns, line, {**metadata, "detected_level": level}))
    return made


def end_ns() -> int:
    """A moment behind the last line."""
    return max(entry.timestamp_ns for entry in entries()) + SECOND_NS


def open_store(folder: Path) -> Store:
    """A store with the lines: two segments, and the last third not sealed."""
    store = Store(folder, StoreSettings(retention_s=0, min_free_bytes=0, upkeep_s=3600))
    pushed = entries()
    third = len(pushed) // 3
    for begin in (0, third):
        store.push(pushed[begin : begin + third])
        store.flush()
    store.push(pushed[2 * third :])
    return store


class SpySampler:
    """The fast path, and which leaves it answered.

    Args:
        sampler: the fast path.
    """

    def __init__(self, sampler: SqlSampler) -> None:
        self._sampler = sampler
        self.answered: list[RangeAggregation] = []

    def sample(self, request: SampleRequest) -> list[Series] | None:
        """Its answer."""
        found = self._sampler.sample(request)
        if found is not None:
            self.answered.append(request.aggregation)
        return found


def leaves(expression: Expression) -> Iterator[RangeAggregation]:
    """The range aggregations of a metric query."""
    if isinstance(expression, RangeAggregation):
        yield expression
    elif isinstance(expression, VectorAggregation):
        yield from leaves(expression.operand)
    elif isinstance(expression, BinaryOperation):
        yield from leaves(expression.left)
        yield from leaves(expression.right)
