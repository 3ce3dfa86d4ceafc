"""What a crash leaves at each moment of a seal or a merge, and what a start makes of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lokikit.store.segments.schema import PushedEntry
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = StoreSettings(min_free_bytes=0, retention_s=0, merge_count=3)
UNMERGED = replace(SETTINGS, merged_max_bytes=0)
LABELS = {"service_name": "api"}


def push(store: Store, batch: int) -> None:
    store.push([PushedEntry(LABELS, batch * 100 + n, f"{batch} {n}") for n in range(20)])


def lines(folder: Path) -> list[str]:
    with Store.open(folder, SETTINGS) as store:
        assert store.notices() == []
        return [row.line for row in store.rows((), 0, 10_000)]


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """Three segments; a copy of the folder before the last was sealed is beside it."""
    folder, copy = tmp_path / "data", tmp_path / "before"
    with Store.open(folder, UNMERGED) as store:
        for batch in range(2):
            push(store, batch)
            store.flush()
        push(store, 2)
        shutil.copytree(folder, copy)
        store.flush()
    return copy


WRITTEN = [f"{batch} {n}" for batch in range(3) for n in range(20)]


def test_a_segment_in_place_makes_its_log_superfluous(before: Path) -> None:
    after = before.with_name("data")
    for path in after.glob("seg-*"):
        shutil.copy(path, before)
    assert lines(before) == WRITTEN
    assert len(list(before.glob("log-*"))) == 1


@pytest.mark.parametrize("suffix", [".parquet", ".summary"])
def test_a_seal_that_was_not_finished_is_undone(before: Path, suffix: str) -> None:
    newest = max(before.with_name("data").glob(f"seg-*{suffix}"))
    name = newest.name if suffix == ".summary" else "seg-0000000003-0000000003.tmp"
    shutil.copy(newest, before / name)
    assert lines(before) == WRITTEN
    assert not (before / name).exists()


def test_segments_that_a_merge_made_superfluous_are_deleted(before: Path) -> None:
    merged = before.with_name("data")
    old = {path.name: path.read_bytes() for path in merged.glob("seg-*")}
    with Store.open(merged, SETTINGS) as store:
        store.maintain()
        assert store.metrics()["segments"] == 1
    for name, content in old.items():
        (merged / name).write_bytes(content)
    assert lines(merged) == WRITTEN
    assert len(list(merged.glob("*.parquet"))) == 1


def test_a_damaged_merge_does_not_cost_the_segments_that_it_came_from(before: Path) -> None:
    merged = before.with_name("data")
    old = {path.name: path.read_bytes() for path in merged.glob("seg-*")}
    with Store.open(merged, SETTINGS) as store:
        store.maintain()
    (large,) = merged.glob("*.parquet")
    large.write_bytes(large.read_bytes()[:-1] + b"x")
    for name, content in old.items():
        (merged / name).write_bytes(content)
    with Store.open(merged, SETTINGS) as store:
        assert [row.line for row in store.rows((), 0, 10_000)] == WRITTEN
        assert large.name in store.notices()[0]


def test_a_log_older_than_a_segment_gets_a_new_number(before: Path) -> None:
    (log,) = before.glob("log-*")
    log.rename(before / "log-0000000001")
    for path in before.glob("seg-0000000001*"):
        path.unlink()
    assert sorted(lines(before)) == sorted(line for line in WRITTEN if line[0] != "0")
    with Store.open(before, SETTINGS) as store:
        store.flush()
    assert len(list(before.glob("*.parquet"))) == 2
