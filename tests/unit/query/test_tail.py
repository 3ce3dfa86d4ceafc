"""Only faults that a real Loki does not show on demand; `tests/stack/test_tail.py` has the rest."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from lokikit.errors import LokikitError, RefusedError, UnreachableError
from lokikit.query.results import LogEntry
from lokikit.query.tail import Seen, Tail

if TYPE_CHECKING:
    from collections.abc import Iterator

S = 1_000_000_000
LOST = UnreachableError("connection lost")


def entry(time_s: float, line: str) -> LogEntry:
    """An entry of the one stream."""
    return LogEntry(round(time_s * S), line, {"service_name": "x"}, {})


class EndOfScriptError(Exception):
    """All steps are played."""


class Step:
    """What one `receive` meets: what Loki gets to store, what of it it sends, what it admits."""

    def __init__(
        self,
        stored: list[LogEntry],
        *,
        sent: list[LogEntry] | None = None,
        left_out: list[int] | None = None,
    ) -> None:
        self.stored = stored
        self.sent = stored if sent is None else sent
        self.left_out = left_out or []


class FakeLoki:
    """A store, and a live feed that plays `script`; a number in it is so many silent seconds."""

    def __init__(self, *script: Step | LokikitError | float) -> None:
        self.script = list(script)
        self.stored: list[LogEntry] = []
        self.now_s = 1000.0
        self.pauses_s: list[float] = []
        self.lost: list[str] = []

    def follow(self) -> list[str]:
        """The lines shown until the script is played."""
        tail = Tail(
            self._ask,
            self._connect,  # type: ignore[arg-type]
            on_lost=lambda error: self.lost.append(str(error)),
            clock=lambda: self.now_s,
            now_ns=lambda: round(self.now_s * S),
            sleep=self._sleep,
        )
        shown: list[str] = []
        with contextlib.suppress(EndOfScriptError):
            for one in tail.entries():
                shown.append(one.line)  # noqa: PERF401 - keeps what came before the end
        return shown

    def receive(self, timeout_s: float) -> tuple[list[LogEntry], list[int]]:
        """Play the next step."""
        if not self.script:
            raise EndOfScriptError
        step = self.script[0]
        if isinstance(step, (int, float)):
            waited_s = min(timeout_s, step)
            self.now_s += waited_s
            self.script[0] = step - waited_s
            if not self.script[0]:
                del self.script[0]
            return [], []
        del self.script[0]
        if isinstance(step, LokikitError):
            raise step
        self.stored += step.stored
        return step.sent, step.left_out

    def _ask(self, start_ns: int, end_ns: int) -> Iterator[LogEntry]:
        found = [one for one in self.stored if start_ns <= one.timestamp_ns < end_ns]
        yield from sorted(found, key=lambda one: one.timestamp_ns)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[FakeLoki]:
        yield self

    def _sleep(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        self.now_s += seconds


def test_what_is_sent_is_shown_once() -> None:
    """An entry that the live feed sent is not shown again when the stretch is asked for."""
    loki = FakeLoki(Step([entry(1002, "a")]), Step([entry(1003, "b")]), 60)
    assert loki.follow() == ["a", "b"]


def test_end_of_a_burst_that_loki_left_out() -> None:
    """Entries that Loki stored and never sent are shown soon after, although nothing follows."""
    late = [entry(1002 + n / 100, f"late {n}") for n in range(3)]
    loki = FakeLoki(Step([entry(1002, "first")]), Step(late, sent=[]), 60)
    assert loki.follow() == ["first", "late 0", "late 1", "late 2"]


def test_left_out_right_after_the_first_question() -> None:
    """What Loki leaves out after the first question behind a burst is found by a second one."""
    loki = FakeLoki(Step([entry(1002, "a")]), 5, Step([entry(1006.5, "b")], sent=[]), 60)
    assert loki.follow() == ["a", "b"]


def test_old_entries_that_loki_admits_to_have_left_out() -> None:
    """An entry from before the stretch is found when Loki names its time among the left out."""
    old = entry(900, "old")
    loki = FakeLoki(Step([old], sent=[], left_out=[old.timestamp_ns]), 60)
    assert loki.follow() == ["old"]


def test_gap_between_two_connections() -> None:
    """What comes in while there is no connection is shown after it, once."""
    gap = Step([entry(1003, "b")], sent=[])
    loki = FakeLoki(Step([entry(1002, "a")]), gap, LOST, Step([entry(1010, "c")]), 60)
    assert loki.follow() == ["a", "b", "c"]
    assert loki.lost == ["connection lost"]


def test_late_entries_in_a_gap() -> None:
    """An entry of the gap may be up to a minute behind the newest: agents are not in step."""
    gap = Step([entry(950, "late")], sent=[])
    loki = FakeLoki(Step([entry(1002, "a")]), gap, LOST, 60)
    assert loki.follow() == ["a", "late"]


def test_a_clock_behind_that_of_the_services() -> None:
    """Entries ahead of this machine's clock are found too."""
    loki = FakeLoki(Step([entry(1200, "a")]), Step([entry(1201, "b")], sent=[]), 60)
    assert loki.follow() == ["a", "b"]


def test_a_clock_ahead_of_that_of_the_services() -> None:
    """A gap is measured by the entries' own times, not by this machine's clock."""
    quiet = 40
    gap = Step([entry(1003, "b")], sent=[])
    loki = FakeLoki(Step([entry(1002, "a")]), quiet, gap, LOST, 60)
    assert loki.follow() == ["a", "b"]


def test_each_loss_is_told_once() -> None:
    """Failures of the same loss are quiet, and a connection that held makes the next loss new."""
    loki = FakeLoki(LOST, 30, LOST, 30)
    loki.follow()
    assert len(loki.lost) == 2


def test_refusals_end_it() -> None:
    """An error that a new connection cannot mend is raised instead of tried for ever."""
    with pytest.raises(RefusedError, match="who are you"):
        FakeLoki(RefusedError("who are you", 401)).follow()


def test_memory_is_bounded() -> None:
    """The newest entries up to its capacity are remembered, those beyond twice of it are not."""
    seen = Seen(capacity=2)
    assert all(seen.add(entry(number, "line")) for number in range(5))
    assert not any(seen.add(entry(number, "line")) for number in (3, 4))
    assert seen.add(entry(0, "line"))


def test_order_of_metadata_does_not_matter() -> None:
    """Loki gives metadata in another order live than in answers: still the same entry."""
    seen = Seen()
    assert seen.add(LogEntry(1, "line", {}, {"a": "1", "b": "2"}))
    assert not seen.add(LogEntry(1, "line", {}, {"b": "2", "a": "1"}))
    assert seen.add(LogEntry(1, "line", {}, {"a": "1", "b": "3"}))


def test_a_tail_that_is_stopped_ends_although_nothing_comes() -> None:
    loki = FakeLoki(3600.0)
    tail = Tail(
        loki._ask,
        loki._connect,  # type: ignore[arg-type]
        is_stopped=lambda: loki.now_s > 1100,
        clock=lambda: loki.now_s,
        now_ns=lambda: round(loki.now_s * S),
        sleep=loki._sleep,
    )
    assert list(tail.entries()) == []
    assert loki.now_s < 1110
