from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.errors import UnreachableError
from lokikit.page.live import MAX_WAITING, Follower, live_events
from lokikit.query.results import LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterator


class FakeLoki:
    """Sends so many lines, then waits until it is stopped."""

    def __init__(self, lines: int) -> None:
        self.lines = lines
        self.sent, self.closed = threading.Event(), threading.Event()

    def tail(self, _query: str, *, is_stopped: Any, on_lost: Any, **_: Any) -> Iterator[LogEntry]:
        """What `Loki.tail` gives."""
        for number in range(self.lines):
            yield LogEntry(number, f"line {number}", {"service_name": "s"}, {})
        on_lost(UnreachableError("it is away."))
        self.sent.set()
        while not is_stopped():
            threading.Event().wait(0.01)

    def close(self) -> None:
        """As the connection ends."""
        self.closed.set()


async def first_events(loki: FakeLoki) -> dict[str, Any]:
    """The first of each kind, up to the loss; the listener then goes away."""
    found: dict[str, Any] = {}
    events = live_events(loki, "q")  # type: ignore[arg-type]
    async for message in events:
        if message.startswith(b"event"):
            head, data = message.decode().split("\ndata: ")
            found.setdefault(head.removeprefix("event: "), orjson.loads(data))
        if "lost" in found:
            break
    await events.aclose()  # type: ignore[attr-defined]
    return found


def test_lines_and_losses_are_told_and_the_thread_ends_with_its_listener() -> None:
    loki = FakeLoki(3)
    found = asyncio.run(first_events(loki))
    assert [row["message"] for row in found["lines"]] == ["line 0", "line 1", "line 2"]
    assert found["lost"] == "it is away."
    assert loki.closed.wait(30)


async def left_out(loki: FakeLoki) -> int:
    """How many events are counted in place of being held, while nobody takes any."""
    follower = Follower(loki, "q", asyncio.get_running_loop())  # type: ignore[arg-type]
    follower.start()
    await asyncio.to_thread(loki.sent.wait, 30)
    follower.stop()
    await asyncio.to_thread(loki.closed.wait, 30)
    events = [("line", None)]
    counted = 0
    while events[-1][0] != "left_out" or not counted:
        events = await follower.events()
        counted += sum(what for kind, what in events if kind == "left_out")
    return counted


def test_lines_for_a_slow_browser_are_counted_and_memory_is_bounded() -> None:
    # The loss is an event as well, and there is no place for it either.
    assert asyncio.run(left_out(FakeLoki(MAX_WAITING + 10))) == 11
