"""`LokiHandler` loses nothing and doubles nothing, whatever happens on the way to a real Loki."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest
from tests.faults import FaultProxy, Mode
from tests.stack.pushing import (
    MAX_PEAK_KB,
    Programs,
    Writing,
    assert_exact,
    new_service,
    sizes,
    stored_numbers,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.stack.engines import Running

FLUSH_S = 300.0
PAD = 300
"""Lines of about 600 bytes: some 1,700 fill a batch."""
FAULTS = [mode for mode in Mode if mode not in {Mode.PASS, Mode.REFUSE, Mode.POISON}]


@pytest.mark.parametrize("records", sizes(6_000, 1_000_000))
@pytest.mark.parametrize("threads", [1, 8])
def test_healthy(loki_url: str, programs: Programs, threads: int, records: int) -> None:
    """Lines of one thread and of several at once are in Loki, each once."""
    service, each = new_service(), records // threads
    # A burst is faster than any Loki: who keeps nothing on disk and wants all of it, waits.
    handler = {"on_full": "block", "block_timeout_s": FLUSH_S}
    writing = Writing(loki_url, service, each, threads=threads, handler=handler, flush_s=FLUSH_S)
    report = programs.write(writing).report("closed", FLUSH_S * 2)
    assert report["flushed"], report
    assert report["stats"]["sent"] == records
    assert_exact(loki_url, service, dict.fromkeys(range(threads), each))


@pytest.mark.parametrize("size", sizes((2_000, 1.0), (200_000, 30.0)))
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_outage(
    make_loki: Callable[..., Running],
    programs: Programs,
    tmp_path: Path,
    end: str,
    size: tuple[int, float],
) -> None:
    """What is logged before, in and after an outage of Loki is there afterwards, each line once."""
    records, outage_s = size
    loki, service = make_loki(), new_service()
    writing = Writing(
        *(loki.url, service, records),
        rate=records / (outage_s * 2.5),
        handler={"spool_dir": str(tmp_path / "spool")},
        flush_s=FLUSH_S,
    )
    writer = programs.write(writing)
    eventually(lambda: stored_numbers(loki.url, service))
    getattr(loki, end)()
    threading.Event().wait(outage_s)  # nothing happens at the end of an outage but its end
    loki.start()
    report = writer.report("closed", FLUSH_S * 2)
    assert report["stats"]["retried"], "the outage was none"
    assert report["flushed"], report
    assert report["peak_kb"] < MAX_PEAK_KB
    assert_exact(loki.url, service, {0: records})


@pytest.mark.parametrize("records", sizes(4_000, 50_000))
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.lower())
@pytest.mark.loki_in_soak
def test_fault(
    loki_url: str, programs: Programs, tmp_path: Path, fault: Mode, records: int
) -> None:
    """Callers are done while the fault lasts; after it each line is in Loki once."""
    service = new_service()
    with contextlib.closing(FaultProxy(loki_url)) as proxy:
        proxy.switch(fault)
        writing = Writing(
            *(proxy.url, service, records),
            pad=PAD,
            handler={"spool_dir": str(tmp_path / "spool"), "timeout_s": (1.0, 1.0)},
            flush_s=FLUSH_S,
        )
        writer = programs.write(writing)
        writer.report("written")
        eventually(lambda: proxy.counts[fault] > 1)
        proxy.switch(fault, *[Mode.PASS] * 4)
        report = writer.report("closed", FLUSH_S)
    assert report["flushed"], report
    assert report["stats"]["dropped"] == {}
    assert report["peak_kb"] < MAX_PEAK_KB
    assert_exact(loki_url, service, {0: records})


@pytest.mark.parametrize("records", sizes(5_000, 50_000))
@pytest.mark.loki_in_soak
def test_memory_alone_bridges_a_fault(loki_url: str, programs: Programs, records: int) -> None:
    """Without a spool an outage shorter than the queue loses nothing either."""
    service = new_service()
    with contextlib.closing(FaultProxy(loki_url)) as proxy:
        proxy.switch(Mode.REFUSE)
        writer = programs.write(Writing(proxy.url, service, records, flush_s=FLUSH_S))
        writer.report("written")
        proxy.switch(Mode.PASS)
        report = writer.report("closed", FLUSH_S)
    assert report["flushed"], report
    assert report["peak_kb"] < MAX_PEAK_KB
    assert_exact(loki_url, service, {0: records})
