"""What becomes of the canary's lines, with the clock in hand; tests/stack has the real Loki."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from lokikit.cli import app
from lokikit.errors import LokikitError, UnreachableError
from lokikit.fields import CANARY_LOGGER
from lokikit.monitoring.canary import Canary, Pace
from lokikit.monitoring.canary_ledger import Findings, Ledger
from lokikit.stack.agent_metrics import AgentNumbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lokikit.query.results import LogEntry

PATIENCE_S = 10
MEMORY_S = 1000
EVER = (0, 10**18)


@pytest.fixture
def ledger() -> Ledger:
    """A ledger with line 1, written at second 0 of both clocks."""
    one = Ledger(PATIENCE_S, MEMORY_S)
    one.wrote(1, 0, 0)
    return one


def test_a_line_that_comes_back(ledger: Ledger) -> None:
    """It is returned once, with its time, however often it is seen."""
    ledger.read({}, EVER, 1)
    ledger.read({1: 1}, EVER, 2.5)
    ledger.read({1: 1}, EVER, 3)
    assert ledger.findings() == Findings(returned=1, round_trip_s=2.5)
    assert ledger.findings() == Findings()


def test_the_slowest_is_told(ledger: Ledger) -> None:
    """The longest round trip of several lines counts."""
    ledger.wrote(2, 5, 5)
    ledger.read({1: 1, 2: 1}, EVER, 6)
    assert ledger.findings() == Findings(returned=2, round_trip_s=6)


def test_a_lost_line_is_lost_once(ledger: Ledger) -> None:
    """Before the patience has passed nothing is lost, and afterwards only once."""
    ledger.read({}, EVER, 0)
    ledger.read({}, EVER, PATIENCE_S - 1)
    assert ledger.findings() == Findings()
    ledger.read({}, EVER, PATIENCE_S)
    ledger.read({}, EVER, PATIENCE_S + 1)
    assert ledger.findings() == Findings(lost=1)
    ledger.read({}, EVER, MEMORY_S)
    assert ledger.findings() == Findings()


def test_a_lost_line_may_come_late(ledger: Ledger) -> None:
    """What was given up and comes is late, has no round trip, and is not lost again."""
    ledger.read({}, EVER, 0)
    ledger.read({}, EVER, PATIENCE_S)
    assert ledger.findings() == Findings(lost=1)
    ledger.read({1: 1}, EVER, 50)
    ledger.read({}, EVER, 100)
    assert ledger.findings() == Findings(late=1)


def test_copies_beyond_the_first(ledger: Ledger) -> None:
    """Each further copy counts once, whether it comes with the first or later."""
    ledger.read({1: 2}, EVER, 1)
    assert ledger.findings() == Findings(returned=1, round_trip_s=1, duplicates=1)
    ledger.read({1: 3}, EVER, 2)
    ledger.read({1: 3}, EVER, 3)
    assert ledger.findings() == Findings(duplicates=1)


def test_no_line_is_lost_while_loki_is_away(ledger: Ledger) -> None:
    """The patience begins anew with the first answer after an outage."""
    ledger.read({}, EVER, 1)
    ledger.no_answer()
    ledger.read({}, EVER, 500)
    ledger.read({}, EVER, 500 + PATIENCE_S - 1)
    assert ledger.findings() == Findings()
    ledger.read({}, EVER, 500 + PATIENCE_S)
    assert ledger.findings() == Findings(lost=1)


def test_a_look_judges_only_what_it_covers(ledger: Ledger) -> None:
    """A line that was written outside of the time that was read is not missing."""
    ledger.read({}, EVER, 0)
    ledger.read({}, (1, 9), PATIENCE_S)
    assert ledger.findings() == Findings()


def test_what_is_forgotten(ledger: Ledger) -> None:
    """A line that came is kept for copies of it; one that Loki was never asked for is lost."""
    ledger.read({1: 1}, EVER, 1)
    ledger.wrote(2, 9, 9)
    assert ledger.span(lost=False) == (0, 9)
    ledger.wrote(3, 10, PATIENCE_S)
    assert ledger.span(lost=False) == (9, 10)
    ledger.findings()
    ledger.wrote(4, 2000, MEMORY_S + PATIENCE_S)
    assert ledger.span(lost=False) == (2000, 2000)
    assert ledger.findings() == Findings(lost=2)


def test_what_is_awaited(ledger: Ledger) -> None:
    """The newest line that may come in time; given-up ones are only looked for at a check."""
    assert ledger.awaited_since_s() == 0
    ledger.read({}, EVER, 0)
    ledger.read({}, EVER, PATIENCE_S)
    assert ledger.awaited_since_s() is None
    assert ledger.span(lost=False) is None
    assert ledger.span(lost=True) == (0, 0)


class FakeLoki:
    """Has nothing, or does not answer."""

    def __init__(self) -> None:
        self.problem: LokikitError | None = None
        self.asked = 0

    def query_range(self, *_: object) -> Iterator[LogEntry]:
        """No line, after having been asked."""
        self.asked += 1
        if self.problem:
            raise self.problem
        yield from ()


class Time:
    """A clock that only sleeping moves."""

    def __init__(self, end_s: float) -> None:
        self.now_s = 0.0
        self.end_s = end_s

    def sleep(self, wait_s: float) -> None:
        """Move on."""
        self.now_s += max(wait_s, 0.001)

    def ended(self) -> bool:
        """Whether it is late enough."""
        return self.now_s >= self.end_s


class Kept(logging.Handler):
    """Keeps every record."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append({**vars(record), "text": record.getMessage()})


Sing = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def sing() -> Iterator[Sing]:
    """What a canary logs in a minute: a line each 10 s, a check each 30 s, 20 s of patience."""
    kept, logger = Kept(), logging.getLogger(CANARY_LOGGER)
    logger.addHandler(kept)
    logger.setLevel(logging.INFO)

    def sing(
        loki: FakeLoki, end_s: float = 60, agent: AgentNumbers | None = None
    ) -> list[dict[str, Any]]:
        time = Time(end_s)
        Canary(
            loki,
            Pace(10, 30, 20),
            contact_points=0,
            stopped=time.ended,
            sleep=time.sleep,
            agent=lambda: agent,
            clock=lambda: time.now_s,
        ).run()
        return kept.records

    yield sing
    logger.removeHandler(kept)
    logger.setLevel(logging.NOTSET)


def test_lines_are_numbered(sing: Sing) -> None:
    """From 1 on, without a gap, one per interval."""
    numbers = [one["canary_seq"] for one in sing(FakeLoki()) if "canary_seq" in one]
    assert numbers == [1, 2, 3, 4, 5, 6]


def test_each_start_is_a_run_of_its_own() -> None:
    """After a restart the numbers begin anew, under another name: none is taken for a copy."""
    made = [
        Canary(
            FakeLoki(),
            Pace(10, 30, 20),
            contact_points=None,
            stopped=lambda: True,
            sleep=lambda _: None,
        )
        for _ in range(2)
    ]
    assert made[0]._run != made[1]._run


def test_a_check_tells_the_losses(sing: Sing) -> None:
    """Zero is in the line too; a loss makes it an error; each line has the contact points."""
    entries = [one for one in sing(FakeLoki(), 61) if "canary_lost" in one]
    assert [(one["levelname"], one["canary_lost"]) for one in entries] == [
        ("ERROR", 2),
        ("ERROR", 3),
        ("INFO", 0),
    ]
    assert {one["contact_points"] for one in entries} == {0}
    assert not any("canary_round_trip_s" in one for one in entries)


def test_a_check_tells_what_the_agent_dropped(sing: Sing) -> None:
    """Its own count where it answers, and nothing of it where it does not."""
    numbers = AgentNumbers(read=90, sent=80, retried=0, dropped=7)
    entries = [one for one in sing(FakeLoki(), agent=numbers) if "canary_lost" in one]
    assert {one["agent_dropped"] for one in entries} == {7}


def test_an_agent_that_does_not_answer_is_not_told_of(sing: Sing) -> None:
    """A zero would say that it dropped none."""
    assert not any("agent_dropped" in one for one in sing(FakeLoki()))


def test_loki_away_is_no_loss(sing: Sing) -> None:
    """A check that Loki does not answer has no numbers, and says why."""
    loki = FakeLoki()
    loki.problem = UnreachableError("gone")
    checks = [one for one in sing(loki, 61) if "canary_seq" not in one]
    assert [one["levelname"] for one in checks] == ["WARNING", "WARNING", "INFO"]
    assert [one["canary_lost"] for one in checks if "canary_lost" in one] == [0]
    assert "gone" in checks[0]["text"]


def test_a_missing_line_is_not_asked_for_all_the_time(sing: Sing) -> None:
    """The pauses grow: a dozen questions for a line that does not come, not hundreds."""
    loki = FakeLoki()
    sing(loki)
    assert loki.asked < 100


@pytest.mark.parametrize("option", ["--interval", "--check-every", "--patience"])
def test_no_time_at_all(
    option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pace of zero is a wrong setting."""
    monkeypatch.setattr("sys.argv", ["lokikit", "canary", option, "0s"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 2
    assert option in capsys.readouterr().err
