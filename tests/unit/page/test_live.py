from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.errors import UnreachableError
from lokikit.page.live import MAX_WAITING, Follower, live_events, read_since
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


async def first_events(loki: FakeLoki) -> tuple[list[str], str, str]:
    """The messages up to the first loss, the id of the newest, the loss; then nobody listens."""
    messages, newest, lost = [], "", ""
    events = live_events(loki, "q", 5)  # type: ignore[arg-type]
    async for message in events:
        head, _, data = message.decode().partition("\ndata: ")
        if head.endswith("event: lines"):
            newest = head.partition("\n")[0]
            messages += [row["message"] for row in orjson.loads(data)]
        elif head.endswith("event: lost"):
            lost = orjson.loads(data)
            break
    await events.aclose()  # type: ignore[attr-defined]
    return messages, newest, lost


def test_lines_and_losses_are_told_and_the_thread_ends_with_its_listener() -> None:
    loki = FakeLoki(3)
    messages, newest, lost = asyncio.run(first_events(loki))
    assert messages == ["line 0", "line 1", "line 2"]
    assert newest == "id: 2"
    assert lost == "it is away."
    assert loki.closed.wait(30)


async def left_out(loki: FakeLoki) -> int:
    """How many events are counted in place of being held, while nobody takes any."""
    follower = Follower(loki, "q", 0, asyncio.get_running_loop())  # type: ignore[arg-type]
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


def test_a_tail_goes_on_behind_the_last_line_that_the_browser_has() -> None:
    assert read_since("41", None, 100) == read_since("41", "60", 100) == 42
    assert (
        read_since(None, None, 100) == read_since("", "", 100) == read_since("x", "x", 100) == 100
    )


def test_a_tail_begins_behind_the_newest_line_of_the_list() -> None:
    """At most a minute ago, and never in the future."""
    now_ns = 10**18
    assert read_since(None, str(now_ns - 5), now_ns) == now_ns - 4
    assert read_since(None, str(now_ns - 10**12), now_ns) == now_ns - 60 * 10**9
    assert read_since(None, str(now_ns + 5), now_ns) == now_ns
