from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest

from lokikit.store.logql.pipeline_syntax import Matcher
from lokikit.store.segments.segment import segment_name
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store

CHILD = Path(__file__).with_name("killed_store.py")
BATCH_ROWS = 40
OURS = (Matcher("service_name", "!=", "old"),)


def run_until_killed(folder: Path, run: str, after_s: float) -> list[str]:
    """Names of the batches that were acknowledged before the kill."""
    command = [sys.executable, CHILD, folder, run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        acknowledged = [child.stdout.readline()]
        timer = threading.Timer(after_s, child.send_signal, [signal.SIGKILL])
        timer.start()
        acknowledged += child.stdout.readlines()
        timer.join()
    assert child.returncode == -signal.SIGKILL
    return [name.strip() for name in acknowledged if name.endswith("\n")]


def stored_ids(folder: Path) -> tuple[Counter[str], Store]:
    store = Store.open(folder, StoreSettings(min_free_bytes=0))
    rows = store.rows(OURS, 0, time.time_ns())
    return Counter(orjson.loads(row.line)["id"] for row in rows), store


def check_kills(folder: Path, kills: int) -> str:
    rnd = random.Random(kills)
    acknowledged: list[str] = []
    for kill in range(kills):
        acknowledged += run_until_killed(folder, f"r{kill}", rnd.uniform(0.0, 1.0))
        if kill % 10 == kills % 10 or kill == kills - 1:
            ids, store = stored_ids(folder)
            damaged, notices = list(folder.glob("damaged/*")), store.notices()
            names = [segment_name(path) for path in folder.glob("*.parquet")]
            store.close()
            wanted = {f"{name}-{row}" for name in acknowledged for row in range(BATCH_ROWS)}
            assert not wanted - ids.keys()
            assert [one for one, count in ids.items() if count > 1] == []
            assert (damaged, notices) == ([], [])
    merged = sum(name.first_log < name.last_log for name in names)
    return (
        f"{kills} kills, {len(acknowledged)} batches acknowledged, "
        f"{max(name.last_log for name in names)} logs, "
        f"{len(names)} segments left, {merged} of them merged"
    )


def test_kills_lose_and_double_no_acknowledged_line(tmp_path: Path) -> None:
    assert check_kills(tmp_path, 10)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_hundred_kills_lose_and_double_no_acknowledged_line(tmp_path: Path, say) -> None:
    say(check_kills(tmp_path, 100))
