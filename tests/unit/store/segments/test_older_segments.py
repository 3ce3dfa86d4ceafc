"""Segments of a version whose files had no column with the size of each line."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import duckdb
import orjson
import pytest

from lokikit.store.segments.schema import LINE_BYTES, PushedEntry
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store
from lokikit.store.segments.summary import file_checksum

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LABELS = {"service_name": "api"}
SETTINGS = StoreSettings(min_free_bytes=0, retention_s=0, merge_count=3)
LINES = [f"é{n}" for n in range(20)]


def make_older(path: Path) -> None:
    """Rewrite a segment and its summary as the earlier version wrote them."""
    older = path.with_suffix(".older")
    duckdb.read_parquet(str(path)).project(f"* EXCLUDE {LINE_BYTES}").write_parquet(str(older))
    older.replace(path)
    summary = path.with_suffix(".summary")
    values = orjson.loads(summary.read_bytes().split(b"\n")[1])
    del values["has_sizes"]
    values["crc32"], values["size"] = file_checksum(path)
    body = orjson.dumps(values)
    summary.write_bytes(b"%08x\n%s\n" % (zlib.crc32(body), body))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with an older segment."""
    with Store.open(tmp_path, SETTINGS) as store:
        store.push([PushedEntry(LABELS, n, line) for n, line in enumerate(LINES)])
        store.flush()
    (path,) = tmp_path.glob("*.parquet")
    make_older(path)
    return tmp_path


def stay(_folder: Path) -> None:
    """Change nothing."""


def lose_summary(folder: Path) -> None:
    """Let the summary be computed from the file."""
    (path,) = folder.glob("*.summary")
    path.unlink()


@pytest.mark.parametrize("change", [stay, lose_summary])
def test_bytes_of_older_segments_are_counted(folder: Path, change: Callable[[Path], None]) -> None:
    change(folder)
    with Store.open(folder, SETTINGS) as store:
        size = sum(len(line.encode()) for line in LINES[5:])
        assert store.volume((), 5, 100) == {tuple(LABELS.items()): (size, 15)}


def test_older_and_newer_segments_are_merged(folder: Path) -> None:
    with Store.open(folder, SETTINGS) as store:
        for batch in (1, 2):
            store.push([PushedEntry(LABELS, batch * 100 + n, "é") for n in range(20)])
            store.flush()
        store.maintain()
        assert store.metrics()["segments"] == 1
        assert [row.line for row in store.rows((), 0, 1000)] == [*LINES, *["é"] * 40]
        (part,) = store.relations(0, 1000)
        total = store.cursor().execute(f"SELECT sum({LINE_BYTES}) FROM {part.relation}")  # noqa: S608
        assert total.fetchall() == [(sum(len(line.encode()) for line in LINES) + 80,)]
