"""What foreign programs print, shipped from files into a real Loki: the shared table of cases."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from tests.foreign import Case, cases
from tests.stack.shipping import Ship, append, new_service, stored
from tests.waiting import eventually

from lokikit import fields
from lokikit.client import Loki

if TYPE_CHECKING:
    from lokikit.answers import LogEntry

MOMENT = datetime.now(timezone.utc)
CASES = cases(MOMENT)
WINDOW_NS = 3_600 * 10**9
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
    return {case.name: _stored(loki_url, f"{prefix}-{case.name}", case) for case in CASES}


def _stored(url: str, service: str, case: Case) -> list[LogEntry]:
    """What Loki has of a case under its own service, and under those that its lines name."""
    entries = stored(url, service)
    for one in case.stored:
        if one.labels:
            selector = ",".join(f'{name}="{value}"' for name, value in one.labels.items())
            window = time.time_ns() - WINDOW_NS, time.time_ns() + WINDOW_NS
            entries += Loki(url).query_range(f"{{{selector}}}", *window)
    return sorted(entries, key=lambda entry: entry.timestamp_ns)


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
