"""Three replicas of Loki over S3: what a killed replica and an absent object store cost."""

from __future__ import annotations

import threading
import time
import uuid
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
import requests
from tests.stack.asking import recent_entries
from tests.stack.pushing import sizes
from tests.stack.replicas import Replicas
from tests.waiting import eventually

from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BATCH = 500
_LINE = '{{"level":"info","message":"line {number}","filler":"' + "x" * 200 + '"}}'


@pytest.fixture(scope="module")
def replicas(loki_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """Three of them for all tests of the module, each of which leaves them running."""
    started = Replicas(loki_program, tmp_path_factory.mktemp("ha"))
    yield started
    started.end()


class Writer(threading.Thread):
    """A sender that goes on to the next replica when one does not take its batch.

    Args:
        replicas: where it sends, in turn, as a service of the cluster would.
        total: how many numbered lines.
    """

    def __init__(self, replicas: Replicas, total: int) -> None:
        super().__init__(daemon=True)
        self.service = f"ha-{uuid.uuid4().hex[:8]}"
        self.total = total
        self.acknowledged = 0
        self._urls = cycle([one.url for one in replicas.all])
        self._start_ns = time.time_ns()

    def run(self) -> None:
        """Send all of them, each batch until it is taken."""
        while self.acknowledged < self.total:
            first = self.acknowledged
            batch = range(first, min(first + _BATCH, self.total))
            values = [[str(self._start_ns + one), _LINE.format(number=one)] for one in batch]
            stream = {"stream": {"service_name": self.service}, "values": values}
            eventually(lambda streams=[stream]: self._push(streams), within_s=120)
            self.acknowledged = batch.stop

    def _push(self, streams: list[object]) -> bool:
        url = f"{next(self._urls)}/loki/api/v1/push"
        try:
            return requests.post(url, json={"streams": streams}, timeout=70).status_code == 204
        except requests.ConnectionError:
            return False

    def await_share(self, share: float) -> None:
        """Wait until so much of it has been acknowledged."""
        eventually(lambda: self.acknowledged >= share * self.total, within_s=300)


def counted(url: str, service: str) -> int:
    """How many lines of `service` the replica at `url` counts."""
    query = f'sum(count_over_time({{service_name="{service}"}}[1h]))'
    answer = requests.get(f"{url}/loki/api/v1/query", params={"query": query}, timeout=70)
    answer.raise_for_status()
    found = answer.json()["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


def stored(url: str, writer: Writer) -> int:
    """How many different lines of `writer` the replica at `url` returns."""
    found = recent_entries(Loki(url), f'{{service_name="{writer.service}"}}')
    return len({entry.line for entry in found})


@pytest.mark.parametrize("size", sizes((12_000, 1), (100_000, 3)))
def test_a_killed_replica_loses_nothing(replicas: Replicas, size: tuple[int, int]) -> None:
    """Replicas are killed in turn under writes and return: no line is lost, queries go on.

    A batch that a kill left unanswered is sent again. Loki stores what it has of it once, unless
    it closed a block of the stream in between: then it counts a part of this batch twice.

    Each returns once the others miss it, as a pod does that is made anew; loki/ha.yaml says why.
    """
    total, kills = size
    writer = Writer(replicas, total)
    writer.start()
    for turn, victim in enumerate(replicas.all[:kills], 1):
        writer.await_share(turn / (kills + 1))
        victim.kill()
        others = [one for one in replicas.all if one is not victim]
        for one in others:
            before = writer.acknowledged
            assert counted(one.url, writer.service) >= before
            eventually(lambda one=one, name=victim.name: one.misses(name), within_s=60)
        victim.start()
        victim.await_ready()
        assert victim.metric("loki_ingester_wal_duplicate_entries_total") == 0
    writer.join(300)
    assert writer.acknowledged == total
    for one in replicas.all:
        assert total <= counted(one.url, writer.service) <= total + kills * _BATCH
        assert stored(one.url, writer) == total


@pytest.mark.parametrize("size", sizes((4_000, 0), (100_000, 60)))
def test_an_absent_object_store_loses_nothing(replicas: Replicas, size: tuple[int, int]) -> None:
    """Writes go on while S3 is away; once it is back all is there, even without the disks."""
    total, away_s = size
    writer = Writer(replicas, total)
    replicas.store.stop()
    end_s = time.monotonic() + away_s
    try:
        writer.start()
        writer.join(300)
        assert writer.acknowledged == total
        for one in replicas.all:
            requests.post(f"{one.url}/flush", timeout=70)
            eventually(lambda one=one: one.metric("loki_ingester_chunks_flush_failures_total"))
        eventually(lambda: time.monotonic() >= end_s, within_s=away_s + 1)
    finally:
        replicas.store.start()
    for one in replicas.all:
        one.stop()
        one.lose_disk()
    replicas.start()
    for one in replicas.all:
        eventually(lambda one=one: counted(one.url, writer.service) == total, within_s=120)
    assert stored(replicas.all[0].url, writer) == total
