from __future__ import annotations

import errno
import io
from typing import TYPE_CHECKING

import duckdb
import orjson
import pytest

from lokikit.cli.export import export_folder
from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.store.logql.pipeline_syntax import Matcher
from lokikit.store.segments.export import EVER_NS, export_jsonl, export_parquet
from lokikit.store.segments.schema import PushedEntry
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.snapshot import open_snapshot
from lokikit.store.segments.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = StoreSettings(min_free_bytes=0, retention_s=0)
API = {"service_name": "api", "env": "dev", "pod": "p1"}
WEB = {"service_name": "web"}
EVER = (0, EVER_NS)
NOW_NS = 1_700_000_000_123_456_789


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "data", SETTINGS) as opened:
        opened.push([PushedEntry(API, NOW_NS, "sealed", {"detected_level": "info", "pid": "1"})])
        opened.flush()
        opened.push([PushedEntry(WEB, NOW_NS + 1000, "new")])
        yield opened


def test_an_export_replaces_an_earlier_one(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "lines-00009.parquet").touch()
    (folder / "mine.parquet").touch()
    export_parquet(store, folder)
    assert {path.name for path in folder.iterdir()} == {
        "lines-00001.parquet",
        "lines-00002.parquet",
        "mine.parquet",
    }


def test_an_export_that_fails_leaves_the_earlier_one(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    target = tmp_path / "lines.jsonl"
    export_folder(store.folder, "{}", EVER, parquet=None, jsonl=target)
    earlier = target.read_bytes()
    monkeypatch.setattr("lokikit.store.segments.export.export_jsonl", fails)
    with pytest.raises(OSError, match="No space left"):
        export_folder(store.folder, "{}", EVER, parquet=None, jsonl=target)
    assert target.read_bytes() == earlier
    assert [path.name for path in tmp_path.glob("*.jsonl*")] == ["lines.jsonl"]


def test_an_export_that_fails_names_its_folder_and_leaves_nothing_there(
    store: Store, tmp_path: Path
) -> None:
    store.flush()
    min(store.folder.glob("seg-*.parquet")).unlink()
    folder = tmp_path / "out"
    with pytest.raises(PrerequisiteError, match=f"cannot export into {folder}: "):
        export_parquet(store, folder)
    assert not list(folder.iterdir())


def test_a_selector_that_is_wrong_is_named(store: Store) -> None:
    with pytest.raises(SettingsError, match=r"the selector '\{a=' is wrong: parse error"):
        export_folder(store.folder, "{a=", EVER, parquet=None, jsonl=None)


def read(folder: Path, columns: str) -> list[tuple[object, ...]]:
    query = f"SELECT {columns} FROM '{folder}/*.parquet' ORDER BY timestamp_ns"  # noqa: S608 - ours
    return duckdb.sql(query).fetchall()


def test_parquet_has_times_labels_metadata_and_lines(store: Store, tmp_path: Path) -> None:
    assert export_parquet(store, tmp_path / "out") == 2
    columns = "timestamp_ns, epoch_us(timestamp), service_name, env, level, metadata, line"
    assert read(tmp_path / "out", columns) == [
        (NOW_NS, NOW_NS // 1000, "api", "dev", "info", '{"pid":"1"}', "sealed"),
        (NOW_NS + 1000, NOW_NS // 1000 + 1, "web", None, None, None, "new"),
    ]
    assert read(tmp_path / "out", "labels->>'pod'") == [("p1",), (None,)]


def test_only_the_selected_lines_are_exported(store: Store, tmp_path: Path) -> None:
    matchers = (Matcher("service_name", "=", "web"),)
    assert export_parquet(store, tmp_path / "out", matchers) == 1
    assert export_parquet(store, tmp_path / "out", (), NOW_NS, NOW_NS + 1000) == 1


def test_json_lines_hold_the_same(store: Store) -> None:
    stream = io.BytesIO()
    assert export_jsonl(store, stream) == 2
    assert orjson.loads(stream.getvalue().splitlines()[0]) == {
        "timestamp": "2023-11-14T22:13:20.123456789Z",
        "labels": API,
        "metadata": {"pid": "1", "detected_level": "info"},
        "line": "sealed",
    }


def test_a_folder_is_exported_beside_a_running_store(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "out"
    span = (0, EVER_NS)
    assert export_folder(store.folder, "{}", span, parquet=target, jsonl=None) == 2
    store.push([PushedEntry(WEB, NOW_NS + 2000, "newer")])
    lines = tmp_path / "out.jsonl"
    assert export_folder(store.folder, '{service_name="web"}', span, parquet=None, jsonl=lines) == 2
    assert not list(store.folder.glob("snapshot-*"))


def test_a_snapshot_is_whole_while_the_store_seals_and_merges(tmp_path: Path) -> None:
    settings = StoreSettings(min_free_bytes=0, retention_s=0, merge_count=2)
    with Store.open(tmp_path, settings) as store:
        for batch in range(12):
            store.push([PushedEntry(API, batch * 100 + n, f"{batch} {n}") for n in range(20)])
            store.flush()
            with open_snapshot(tmp_path) as snapshot:
                assert len(list(snapshot.rows((), 0, EVER_NS))) == 20 * (batch + 1)


def test_a_folder_without_a_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no store in .* --data"), open_snapshot(tmp_path):
        pass
