"""Whatever bytes come to the agent's ports, it goes on."""

from __future__ import annotations

import contextlib
import random
import socket
from typing import TYPE_CHECKING

import msgpack
import pytest
from tests.agent.feeding import Driver
from tests.stack.pushing import new_service, stored
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agent.running import RunningAgent

NOISE = random.Random(5)
MESSAGE = msgpack.packb(["tag", 1_700_000_000, {"log": "x"}, {"chunk": "c"}])
GARBAGE = {
    "noise": NOISE.randbytes(100_000),
    "text": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a message": MESSAGE[:-4],
    "a string of 4 GB": b"\xdb\xff\xff\xff\xff" + bytes(1000),
    "an array of 4 billion": b"\xdd\xff\xff\xff\xff" + b"\x01" * 1000,
    "deep": b"\x91" * 100_000,
    "no tag": msgpack.packb([None, 1, {}]),
    "no record": msgpack.packb(["tag", 1_700_000_000, "text"]),
    "no time": msgpack.packb(["tag", "yesterday", {"log": "x"}]),
    "entries that are none": msgpack.packb(["tag", [[1], 2, "x", None]]),
    "packed entries that are none": msgpack.packb(["tag", b"\xc1\xc1\xc1", {"size": 7}]),
    "gzip that is none": msgpack.packb(["tag", b"\x1f\x8b\x08noise", {"compressed": "gzip"}]),
}


@pytest.mark.parametrize("port", ["FLUENTBIT_FORWARD_PORT", "FLUENTBIT_HTTP_PORT"])
def test_garbage(loki_url: str, make_agent: Callable[..., RunningAgent], port: str) -> None:
    """Lines on other connections arrive, and the agent that they come to has never ended."""
    service = new_service()
    agent = make_agent(loki_url, "docker").start()
    assert agent.process
    pid = agent.process.pid
    with contextlib.closing(Driver(agent.ports["FLUENTBIT_FORWARD_PORT"], service)) as driver:
        for name, data in GARBAGE.items():
            with socket.create_connection(("127.0.0.1", agent.ports[port]), timeout=10) as one:
                with contextlib.suppress(OSError):  # it may hang up before it has all
                    one.sendall(data)
                driver.send(name)
    eventually(lambda: {one.line for one in stored(loki_url, service)} == GARBAGE.keys())
    assert (agent.process.poll(), agent.process.pid) == (None, pid)
    assert driver.again == 0
