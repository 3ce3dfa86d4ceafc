from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING

import pytest

from lokikit.store.errors import PushError
from lokikit.store.logql.pipeline_syntax import Matcher
from lokikit.store.segments.schema import PushedEntry
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = StoreSettings(min_free_bytes=1000, retention_s=0)
EVERY = (Matcher("service_name", "=~", ".+"),)


class Disk:
    """A disk with so many bytes left, for the logs alone."""

    def __init__(self) -> None:
        self.left = 1 << 30
        self.reported = 1 << 30

    def open(self, path: Path) -> io.RawIOBase:
        disk = self

        class File(io.FileIO):
            def write(self, data) -> int:
                if not disk.left and len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                written = super().write(bytes(data)[: disk.left])
                disk.left -= written
                return written

        return File(path, "ab")


def entries(start: int, count: int = 10) -> list[PushedEntry]:
    return [
        PushedEntry({"service_name": "api"}, n, f"line {n}") for n in range(start, start + count)
    ]


def read(store: Store) -> list[int]:
    return [row.timestamp_ns for row in store.rows(EVERY, 0, 10_000)]


@pytest.fixture
def disk() -> Disk:
    return Disk()


def opened(folder: Path, disk: Disk) -> Store:
    return Store(folder, SETTINGS, opened=disk.open, measure=lambda _: disk.reported)


def test_a_disk_that_fills_within_a_record_refuses_the_push_and_keeps_the_rest(
    tmp_path: Path, disk: Disk
) -> None:
    with opened(tmp_path, disk) as store:
        store.push(entries(0))
        disk.left = 20
        with pytest.raises(PushError, match="No space left") as refusal:
            store.push(entries(100))
        assert refusal.value.status == 503
        assert read(store) == list(range(10))
        disk.left = 1 << 30
        store.push(entries(100))
        assert len(read(store)) == 20
    with opened(tmp_path, disk) as store:
        assert len(read(store)) == 20
        assert store.notices() == []


def test_new_labels_on_a_full_disk_are_refused(tmp_path: Path, disk: Disk) -> None:
    with opened(tmp_path, disk) as store:
        disk.left = 3
        with pytest.raises(PushError):
            store.push(entries(0))
        disk.left = 1 << 30
        store.push(entries(0))
        assert len(read(store)) == 10


def test_too_little_free_space_refuses_pushes_until_there_is_room(
    tmp_path: Path, disk: Disk
) -> None:
    with opened(tmp_path, disk) as store:
        disk.reported = 999
        store._ingest._guard._checked_s = -1.0
        with pytest.raises(PushError, match="free") as refusal:
            store.push(entries(0))
        assert refusal.value.status == 503
        assert store.metrics()["refused_pushes"] == 1
        disk.reported = 1000
        store.push(entries(0))
        assert len(read(store)) == 10


def test_a_store_that_cannot_seal_keeps_serving(tmp_path: Path, disk: Disk, monkeypatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with opened(tmp_path, disk) as store:
        store.push(entries(0))
        with monkeypatch.context() as patch:
            patch.setattr("lokikit.store.segments.upkeep.write_segment", fails)
            with pytest.raises(OSError, match="No space left"):
                store.flush()
        store.push(entries(100))
        assert len(read(store)) == 20
        store.flush()
        assert store.metrics()["segments"] == 2
        assert len(read(store)) == 20
