"""However a program with a `LokiHandler` ends, its lines are in Loki, or on disk until they are."""

from __future__ import annotations

import contextlib
import random
import signal
from typing import TYPE_CHECKING

import pytest
from tests.faults import FaultProxy, Mode
from tests.stack.pushing import (
    Programs,
    Writing,
    assert_exact,
    new_service,
    numbered,
    recover,
    sizes,
    stored_numbers,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.pushing import Program

pytestmark = pytest.mark.loki_in_soak

RATE = 4_000.0


@pytest.mark.parametrize("records", sizes(3_000, 10_000))
def test_exit_at_once(loki_url: str, programs: Programs, records: int) -> None:
    """A program that ends right behind its last call has delivered all of it."""
    service = new_service()
    writer = programs.write(Writing(loki_url, service, records, ending="exit"))
    assert writer.end() == 0, writer.said()
    assert_exact(loki_url, service, {0: records})


@pytest.mark.parametrize("records", sizes(3_000, 10_000))
def test_sigterm(loki_url: str, programs: Programs, records: int) -> None:
    """A program that SIGTERM ends has delivered all of it, and ends by the signal."""
    service = new_service()
    writer = programs.write(Writing(loki_url, service, records, ending="wait"))
    writer.report("written")
    assert writer.end(signal.SIGTERM) == -signal.SIGTERM, writer.said()
    assert_exact(loki_url, service, {0: records})


@pytest.mark.parametrize("records", sizes(2_000, 10_000))
def test_os_exit_in_durable_mode(
    loki_url: str, programs: Programs, tmp_path: Path, records: int
) -> None:
    """What a durable program logged before `os._exit` is delivered by the next one."""
    service, spool = new_service(), tmp_path / "spool"
    handler = {"spool_dir": str(spool), "durable": True}
    writer = programs.write(Writing(loki_url, service, records, handler=handler, ending="os_exit"))
    assert writer.end() == 0, writer.said()
    recover(programs, loki_url, spool)
    assert_exact(loki_url, service, {0: records})


@pytest.mark.parametrize("size", sizes((2_000, 5), (10_000, 50)))
def test_sigkill_in_durable_mode(
    loki_url: str, programs: Programs, tmp_path: Path, size: tuple[int, int]
) -> None:
    """SIGKILL at any moment loses no line whose call had returned, with Loki there or away."""
    records, kills = size
    service, spool = new_service(), tmp_path / "spool"
    rng = random.Random(records)
    acknowledged = {}
    with contextlib.closing(FaultProxy(loki_url)) as proxy:
        for writer in range(kills):
            proxy.switch(*rng.choice([(Mode.PASS,), (Mode.ERROR,), (Mode.ERROR_AFTER, Mode.PASS)]))
            handler = {"spool_dir": str(spool), "durable": True}
            program = programs.write(
                Writing(
                    *(proxy.url, service, records, writer),
                    rate=RATE,
                    handler=handler,
                    ending="wait",
                    acks=True,
                )
            )
            acknowledged[writer] = _kill_at(program, rng.randrange(records))
    recover(programs, loki_url, spool)
    found, expected = stored_numbers(loki_url, service), numbered(acknowledged)
    assert not expected - found, f"{(expected - found).total()} lost"
    assert max(found.values()) == 1
    # The one call that was under way may have come to its end.
    assert (found - expected).total() <= kills


def _kill_at(program: Program, number: int) -> int:
    """Kill a writer once it has printed `number`; how many calls had returned for certain."""
    eventually(lambda: len(program.lines()) > number)
    program.end(signal.SIGKILL)
    return sum(line.isdigit() for line in program.lines())
