import asyncio
import contextlib
import json
import time
from urllib.parse import urlencode

import pytest
from tests.waiting import eventually
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from lokikit.store.api.metrics import ServerCounters
from lokikit.store.api.tail import Queue
from lokikit.store.logql.parser import parse_log_query
from lokikit.store.segments.schema import PushedEntry

CATEGORIZE = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}


@contextlib.contextmanager
def tail(client, headers=None, **parameters):
    address = client.url.replace("http", "ws", 1)
    asked = urlencode({"query": client.selector, **parameters})
    with connect(
        f"{address}/loki/api/v1/tail?{asked}", additional_headers=headers or {}, proxy=None
    ) as connection:
        yield lambda: json.loads(connection.recv(timeout=20))


def lines(frame):
    return [value[1] for stream in frame["streams"] for value in stream["values"]]


def test_stored_lines_come_first_and_new_ones_follow(client):
    client.push("a", "b", "c")
    with tail(client, limit=2) as receive:
        assert lines(receive()) == ["b", "c"]
        client.push("d")
        assert lines(receive()) == ["d"]


def test_each_line_is_a_stream_of_its_own(client):
    client.push("a", "b")
    with tail(client) as receive:
        assert receive()["streams"] == [
            {
                "stream": {"run": client.run, "detected_level": "unknown"},
                "values": [[str(client.now_ns - 10**10 + index * 10**9), line]],
            }
            for index, line in enumerate("ab")
        ]


def test_categorized_labels_stand_apart(client):
    with tail(client, CATEGORIZE, query=client.selector + " | json") as receive:
        pushed = eventually(lambda: client.push('{"n":1}').status_code == 204)
        assert pushed
        frame = receive()
    assert frame["encodingFlags"] == ["categorize-labels"]
    assert frame["streams"][0]["values"][0][2] == {
        "structuredMetadata": {"detected_level": "unknown"},
        "parsed": {"n": "1"},
    }


def test_lines_that_the_query_leaves_out_are_not_sent(client):
    with tail(client, query=client.selector + ' |= "yes"', start=time.time_ns()) as receive:
        client.push([str(time.time_ns()), "no"], [str(time.time_ns() + 1), "yes"])
        assert lines(receive()) == ["yes"]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"query": "{"}, "parse error at line 1, col 2"),
        ({"query": 'rate({a="b"}[1m])'}, "only log selector is supported"),
        ({"limit": "0"}, "limit must be a positive value"),
        ({"delay_for": "6"}, "delay_for can't be greater than 5"),
        ({"start": "x"}, "could not parse 'start' parameter"),
    ],
)
def test_wrong_tails_are_refused_before_the_connection(client, parameters, text):
    with pytest.raises(InvalidStatus) as refusal, tail(client, **parameters):
        pass
    assert refusal.value.response.status_code == 400
    assert refusal.value.response.body.decode().startswith(text)


def test_tails_are_counted_and_bounded(client):
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(tail(client))
        assert eventually(lambda: "lokikit_store_tails 10" in client.ask("/metrics").text)
        with pytest.raises(InvalidStatus) as refusal:
            stack.enter_context(tail(client))
        assert b"max concurrent tail requests limit exceeded" in refusal.value.response.body
    assert eventually(lambda: "lokikit_store_tails 0" in client.ask("/metrics").text)


def test_lines_beyond_the_room_are_dropped_and_named():
    loop = asyncio.new_event_loop()
    counters = ServerCounters()
    queue = Queue(parse_log_query('{a="b"}'), loop, counters, max_waiting=1)
    labels = {"a": "b"}
    queue.take([PushedEntry(labels, time_ns, "x", {}) for time_ns in (1, 2)])
    entries, dropped = queue.give()
    loop.close()
    assert [entry.timestamp_ns for entry in entries] == [1]
    assert dropped == [{"labels": {"a": "b"}, "timestamp": "2"}]
    assert counters.snapshot()["tail_dropped_lines", ""] == 1
