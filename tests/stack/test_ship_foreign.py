"""What foreign programs print, shipped from files into Loki: the shared table of cases."""

from __future__ import annotations

import random
import signal
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from tests.foreign import Case, cases
from tests.stack.shipping import Ship, append, new_service, stored_lines, stored_of_case
from tests.waiting import eventually

from lokikit import fields

if TYPE_CHECKING:
    from pathlib import Path

    from lokikit.query.results import LogEntry

pytestmark = pytest.mark.loki_in_soak

MOMENT = datetime.now(timezone.utc)
CASES = cases(MOMENT)
HOST = "test-host"


@pytest.fixture(scope="module")
def found(loki_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[LogEntry]]:
    """The entries of each case by its name, in their order; each was a file of its own."""
    folder = tmp_path_factory.mktemp("foreign")
    prefix = new_service()
    for case in CASES:
        append(folder / f"{prefix}-{case.name}.log", list(case.lines))
    ship = Ship(loki_url, folder / "ship", str(folder / "*.log")).start()
    count = sum(len(case.stored) for case in CASES)
    try:
        eventually(lambda: ship.sent() >= count)
    finally:
        assert ship.end() == 0
    assert ship.sent() == count
    return {case.name: stored_of_case(loki_url, f"{prefix}-{case.name}", case) for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_foreign_programs(case: Case, found: dict[str, list[LogEntry]]) -> None:
    """Lines, order, labels, metadata, times and levels in Loki are those of the table."""
    entries = found[case.name]
    assert [entry.line for entry in entries] == [one.line for one in case.stored]
    for entry, expected in zip(entries, case.stored, strict=True):
        assert entry.metadata == {
            **expected.metadata,
            fields.HOST: HOST,
            fields.DETECTED_LEVEL: expected.level,
        }
        assert {**entry.labels, **expected.labels} == entry.labels
        assert entry.labels[fields.LABEL_SERVICE].endswith(
            expected.labels.get(fields.LABEL_SERVICE, case.name)
        )
        if expected.time_ns is None:
            assert entry.timestamp_ns >= MOMENT.timestamp() * 10**9
        else:
            assert entry.timestamp_ns == expected.time_ns


def traceback(number: int) -> list[bytes]:
    """The five lines of a traceback that no other equals."""
    head = f'Exception in thread "worker-{number}" java.lang.IllegalStateException'
    frames = [f"\tat shop.Orders.place(Orders.java:{line})" for line in range(3)]
    return [line.encode() for line in (head, *frames, "\t... 12 more")]


def test_sigkill_loses_no_part_of_a_traceback(loki_url: str, tmp_path: Path) -> None:
    """Killed and started again while tracebacks are written, each arrives whole, none in parts."""
    service = new_service()
    path = tmp_path / "app.log"
    ship = Ship(loki_url, tmp_path / "ship", str(path), "--service", service).start()
    eventually(ship.is_running)
    kills = set(random.Random(7).sample(range(10, 400), 5))
    pace = threading.Event()
    try:
        for number in range(400):
            append(path, [line for part in range(5) for line in traceback(number * 5 + part)])
            pace.wait(0.005)
            if number in kills:
                ship.end(signal.SIGKILL)
                ship.start()
        whole = {b"\n".join(traceback(number)) for number in range(2_000)}
        eventually(lambda: set(stored_lines(loki_url, service)) >= whole, within_s=60)
    finally:
        ship.end(signal.SIGKILL)
    assert set(stored_lines(loki_url, service)) == whole


def test_traceback_of_a_pipe_arrives_while_the_pipe_stays_open(
    loki_url: str, tmp_path: Path
) -> None:
    """A traceback that nothing follows arrives all the same, as one entry."""
    service = new_service()
    ship = Ship(loki_url, tmp_path, "--service", service).start(-1)
    assert ship.process is not None
    assert ship.process.stdin is not None
    ship.process.stdin.write(b"\n".join(traceback(1)) + b"\n")
    ship.process.stdin.flush()
    assert eventually(lambda: stored_lines(loki_url, service)) == [b"\n".join(traceback(1))]
    ship.process.stdin.close()
    assert ship.process.wait(30) == 0
    counts = ship.stats()
    assert [counts[name] for name in ("read", "joined", "sent")] == [5, 4, 1]
