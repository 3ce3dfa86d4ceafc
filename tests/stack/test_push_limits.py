"""What `LokiHandler` does when more is logged than it can keep or Loki can take."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from tests.faults import FaultProxy, Mode
from tests.stack.pushing import (
    MAX_PEAK_KB,
    Programs,
    Writing,
    assert_exact,
    new_service,
    recover,
    sizes,
    spool_bytes,
    stored_numbers,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024
PAD = 700
LINE_BYTES = 1_000
"""About what a line with that pad takes on disk."""
BACKLOG_S = 3 * 3600.0
FLUSH_S = 120.0


@pytest.mark.parametrize("cap_bytes", sizes(2 * MIB, 64 * MIB))
@pytest.mark.loki_in_soak
def test_loki_down_for_ever(
    loki_url: str, programs: Programs, tmp_path: Path, cap_bytes: int
) -> None:
    """The disk stays under the cap, memory stays flat, the drops are counted to the line.

    What was not dropped, the youngest line among it, arrives when Loki is back.
    """
    service, spool = new_service(), tmp_path / "spool"
    records = 3 * cap_bytes // LINE_BYTES
    most = 0
    with contextlib.closing(FaultProxy(loki_url)) as proxy:
        proxy.switch(Mode.REFUSE)
        # No faster than the disk: it is about the cap, not about the queue before it.
        writer = programs.write(
            Writing(
                *(proxy.url, service, records),
                pad=PAD,
                rate=20_000,
                flush_s=0.1,
                handler={"spool_dir": str(spool), "spool_max_bytes": cap_bytes},
            )
        )

        def is_closed() -> bool:
            nonlocal most
            most = max(most, spool_bytes(spool))
            return writer.process.poll() is not None

        eventually(is_closed, FLUSH_S * 4)
    result = writer.report("closed")
    dropped = sum(result["stats"]["dropped"].values())
    assert cap_bytes / 2 < most <= cap_bytes
    assert result["peak_kb"] < MAX_PEAK_KB
    assert dropped > 1.5 * cap_bytes / LINE_BYTES, "the cap was not hit twice"
    recover(programs, loki_url, spool)
    found = stored_numbers(loki_url, service)
    assert found.total() + dropped == records, result
    assert max(found) == (0, records - 1), result
    assert max(found.values()) == 1


def test_queue_alone_drops_the_oldest(loki_url: str, programs: Programs) -> None:
    """Without a disk the oldest lines go, each is counted, and the others arrive."""
    service, records = new_service(), 5_000
    with contextlib.closing(FaultProxy(loki_url)) as proxy:
        proxy.switch(Mode.REFUSE)
        writing = Writing(
            proxy.url, service, records, handler={"max_records": 1_000}, flush_s=FLUSH_S
        )
        writer = programs.write(writing)
        writer.report("written")
        proxy.switch(Mode.PASS)
        stats = writer.report("closed", FLUSH_S)["stats"]
    found = stored_numbers(loki_url, service)
    assert stats["dropped"].keys() == {"queue_full"}
    assert stats["sent"] == found.total() == records - stats["dropped"]["queue_full"]
    assert found[0, records - 1] == 1


@pytest.mark.loki_in_soak
def test_block_waits_for_room(loki_url: str, programs: Programs) -> None:
    """With `on_full="block"` a small queue before a slow Loki loses nothing."""
    service, records = new_service(), 4_000
    handler = {"max_records": 500, "on_full": "block", "block_timeout_s": FLUSH_S}
    with contextlib.closing(FaultProxy(loki_url, slow_s=0.05)) as proxy:
        proxy.switch(Mode.SLOW)
        result = programs.write(Writing(proxy.url, service, records, handler=handler)).report(
            "closed", FLUSH_S
        )
    assert result["stats"]["dropped"] == {}
    assert_exact(loki_url, service, {0: records})


@pytest.mark.loki_in_soak
def test_block_gives_up_in_time(loki_url: str, programs: Programs) -> None:
    """With `on_full="block"` before a dead Loki each call returns, and what is lost is counted."""
    service, records = new_service(), 120
    handler = {"max_records": 100, "on_full": "block", "block_timeout_s": 0.05}
    with contextlib.closing(FaultProxy(loki_url)) as proxy:
        proxy.switch(Mode.HANG)
        writer = programs.write(Writing(proxy.url, service, records, handler=handler))
        writer.report("written")
        proxy.switch(Mode.PASS)
        stats = writer.report("closed", FLUSH_S)["stats"]
    assert stats["sent"] + stats["dropped"].get("queue_full", 0) == records
    assert stored_numbers(loki_url, service).total() == stats["sent"]


@pytest.mark.parametrize("records", sizes(4_000, 50_000))
def test_backlog_beside_fresh_lines(
    loki_url: str, programs: Programs, tmp_path: Path, records: int
) -> None:
    """A backlog of 3 h and fresh lines of another process meet in one stream, each line once."""
    service, spool = new_service(), tmp_path / "spool"
    with contextlib.closing(FaultProxy(loki_url)) as proxy:
        proxy.switch(Mode.REFUSE)
        old = Writing(
            *(proxy.url, service, records),
            age_s=BACKLOG_S,
            handler={"spool_dir": str(spool)},
            flush_s=0.1,
        )
        assert programs.write(old).report("closed")["stats"]["sent"] == 0
    handler = {"spool_dir": str(tmp_path / "another")}
    fresh = Writing(
        loki_url, service, records, writer=1, rate=records / 3, handler=handler, flush_s=FLUSH_S
    )
    fresh_program = programs.write(fresh)
    eventually(lambda: stored_numbers(loki_url, service))
    recover(programs, loki_url, spool)
    assert fresh_program.report("closed", FLUSH_S)["flushed"]
    assert_exact(loki_url, service, {0: records, 1: records})
