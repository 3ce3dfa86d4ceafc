from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from lokikit.store.logql.pipeline_syntax import Matcher
from lokikit.store.segments.schema import PushedEntry
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = StoreSettings(min_free_bytes=0, retention_s=0)
EVERY = (Matcher("service_name", "=~", ".+"),)
LABELS = {"service_name": "api"}


def fill(folder: Path, *, sealed: bool) -> list[str]:
    """Three batches, in a segment of their own each, or in three records of a log."""
    with Store.open(folder, SETTINGS) as store:
        for batch in range(3):
            store.push([PushedEntry(LABELS, batch * 100 + n, f"{batch} {n}") for n in range(50)])
            if sealed:
                store.flush()
    return [f"{batch} {n}" for batch in range(3) for n in range(50)]


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def read(store: Store) -> list[str]:
    return [row.line for row in store.rows(EVERY, 0, 1000)]


def middle_segment(folder: Path) -> Path:
    return sorted(folder.glob("*.parquet"))[1]


@pytest.mark.parametrize("seed", range(8))
def test_a_flipped_bit_in_a_segment_sets_it_aside_and_names_it(tmp_path: Path, seed: int) -> None:
    written = fill(tmp_path, sealed=True)
    path = middle_segment(tmp_path)
    flip(path, random.Random(seed).randrange(path.stat().st_size * 8))
    with Store.open(tmp_path, SETTINGS) as store:
        assert read(store) == [line for line in written if not line.startswith("1 ")]
        assert (tmp_path / "damaged" / path.name).exists()
        assert store.metrics()["damaged_segments"] == 1
        assert path.name in store.notices()[0]
        store.push([PushedEntry(LABELS, 999, "new")])
        assert read(store)[-1] == "new"


def test_a_segment_cut_short_is_set_aside(tmp_path: Path) -> None:
    fill(tmp_path, sealed=True)
    path = middle_segment(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with Store.open(tmp_path, SETTINGS) as store:
        assert len(read(store)) == 100


@pytest.mark.parametrize("seed", range(8))
def test_a_flipped_bit_in_a_summary_loses_no_line(tmp_path: Path, seed: int) -> None:
    written = fill(tmp_path, sealed=True)
    path = middle_segment(tmp_path).with_suffix(".summary")
    flip(path, random.Random(seed).randrange(path.stat().st_size * 8))
    with Store.open(tmp_path, SETTINGS) as store:
        assert read(store) == written
        assert middle_segment(tmp_path).name in store.notices()[0]


@pytest.mark.parametrize("seed", range(12))
def test_a_flipped_bit_in_a_log_costs_its_record_alone(tmp_path: Path, seed: int) -> None:
    written = fill(tmp_path, sealed=False)
    (path,) = tmp_path.glob("log-*")
    size = path.stat().st_size
    flip(path, random.Random(seed).randrange(size * 8 // 3, size * 8 * 2 // 3))
    with Store.open(tmp_path, SETTINGS) as store:
        assert read(store) == [line for line in written if not line.startswith("1 ")]
        assert store.metrics()["damaged_records"] == 1
        assert path.name in store.notices()[0]
        assert len(list((tmp_path / "damaged").iterdir())) == 1


def test_a_torn_record_at_the_end_is_cut_without_a_word(tmp_path: Path) -> None:
    written = fill(tmp_path, sealed=False)
    (path,) = tmp_path.glob("log-*")
    data = path.read_bytes()
    for cut in (1, 5, 100):
        path.write_bytes(data[:-cut])
        with Store.open(tmp_path, SETTINGS) as store:
            assert read(store) == [line for line in written if not line.startswith("2 ")]
            assert store.notices() == []


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_streams_log_is_restored_from_the_segments(tmp_path: Path, seed: int) -> None:
    written = fill(tmp_path, sealed=True)
    path = tmp_path / "streams.log"
    flip(path, random.Random(seed).randrange(path.stat().st_size * 8))
    with Store.open(tmp_path, SETTINGS) as store:
        rows = list(store.rows(EVERY, 0, 1000))
        assert [row.line for row in rows] == written
        assert all(dict(row.labels) == LABELS for row in rows)


def test_labels_that_nothing_explains_any_more_are_named_as_lost(tmp_path: Path) -> None:
    fill(tmp_path, sealed=False)
    (tmp_path / "streams.log").write_bytes(b"")
    with Store.open(tmp_path, SETTINGS) as store:
        store.push([PushedEntry(LABELS, 999, "new")])
        rows = list(store.rows(EVERY, 0, 1000))
        assert dict(rows[0].labels) == {"service_name": "unknown", "lost_stream": "0"}
        assert dict(rows[-1].labels) == LABELS
