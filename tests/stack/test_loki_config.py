"""What `loki/loki.yaml` promises, tried on the real Loki."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
from tests.stack.engines import Engine, RunningLoki
from tests.stack.pushing import sizes
from tests.waiting import eventually

from lokikit.fields import DETECTED_LEVEL, MAX_LINE_BYTES
from lokikit.stack.native.loki import loki_command, loki_variables
from lokikit.stack.native.store import LOKI_PART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

HOUR_NS = 3600 * 10**9


def push(url: str, labels: dict[str, str], entries: Sequence[tuple[int, str]]) -> requests.Response:
    """Loki's answer to one push of (time in ns, line)."""
    values = [[str(time_ns), line] for time_ns, line in entries]
    body = {"streams": [{"stream": labels, "values": values}]}
    return requests.post(f"{url}/loki/api/v1/push", json=body, timeout=70)


def select(url: str, labels: dict[str, str], age_ns: int = HOUR_NS, limit: int = 100) -> list[Any]:
    """The streams with `labels` as Loki tells them, not older than `age_ns`."""
    selector = ",".join(f'{name}="{value}"' for name, value in labels.items())
    window = {"start": time.time_ns() - age_ns, "end": time.time_ns() + HOUR_NS}
    answer = requests.get(
        f"{url}/loki/api/v1/query_range",
        params={"query": f"{{{selector}}}", "limit": limit, **window},
        timeout=180,
    )
    answer.raise_for_status()
    return list(answer.json()["data"]["result"])


def lines(url: str, labels: dict[str, str], age_ns: int = HOUR_NS, limit: int = 100) -> list[str]:
    """The lines that Loki has under `labels`, not older than `age_ns`."""
    return [line for one in select(url, labels, age_ns, limit) for _, line in one["values"]]


@pytest.fixture
def labels() -> dict[str, str]:
    """Labels that only this test uses."""
    return {"service_name": f"config-{uuid.uuid4().hex[:8]}", "env": "test"}


def test_configuration_is_valid(loki_program: Path, tmp_path: Path) -> None:
    """Loki's own check of the file finds nothing wrong, with and without the variables."""
    command = [*loki_command(loki_program), "-verify-config"]
    for variables in ({}, loki_variables(tmp_path, 1, 2)):
        environ = {**os.environ, **variables}
        told = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stderr
        assert "level=warn" not in told.stderr


def test_long_line_is_cut(loki_url: str, labels: dict[str, str]) -> None:
    """A line over the limit is stored, cut to exactly the contract's limit."""
    answer = push(loki_url, labels, [(time.time_ns(), "x" * (MAX_LINE_BYTES + 5000))])
    assert answer.status_code == 204
    assert lines(loki_url, labels) == ["x" * MAX_LINE_BYTES]


def test_line_of_the_limit_is_whole(loki_url: str, labels: dict[str, str]) -> None:
    """A line of exactly the limit is not touched."""
    line = "y" * MAX_LINE_BYTES
    assert push(loki_url, labels, [(time.time_ns(), line)]).status_code == 204
    assert lines(loki_url, labels) == [line]


def test_backlog_of_the_promised_outage_is_taken(loki_url: str, labels: dict[str, str]) -> None:
    """A line three hours behind its stream's newest one is stored."""
    now_ns = time.time_ns()
    assert push(loki_url, labels, [(now_ns, "new")]).status_code == 204
    assert push(loki_url, labels, [(now_ns - 3 * HOUR_NS, "three hours ago")]).status_code == 204
    assert set(lines(loki_url, labels, 4 * HOUR_NS)) == {"new", "three hours ago"}


@pytest.mark.parametrize("age_h", [2, 7, 9, 24, 160])
def test_old_line_is_found_at_once(loki_url: str, labels: dict[str, str], age_h: int) -> None:
    """By each kind of question, before its chunk is flushed."""
    then_ns = time.time_ns() - age_h * HOUR_NS
    assert push(loki_url, labels, [(then_ns, "old")]).status_code == 204
    assert lines(loki_url, labels, (age_h + 1) * HOUR_NS) == ["old"]
    selector = f'{{service_name="{labels["service_name"]}"}}'
    window = {"start": then_ns - HOUR_NS, "end": then_ns + HOUR_NS}
    asked = {
        "query_range": {"query": f"sum(count_over_time({selector}[1h]))"},
        "series": {"match[]": selector},
        "label/service_name/values": {"query": selector},
    }
    for path, parameters in asked.items():
        url = f"{loki_url}/loki/api/v1/{path}"
        answer = requests.get(url, params={**parameters, **window}, timeout=30).json()
        found = answer["data"]
        assert found["result"] if path == "query_range" else found, path


@pytest.mark.parametrize("limit", sizes(1, 100))
def test_a_year_is_asked_for_at_once(loki_url: str, labels: dict[str, str], limit: int) -> None:
    """Whoever keeps lines for a year may ask for all of them.

    Loki answers a year in parts of an hour, the newest first, until it has `limit` lines.
    """
    assert push(loki_url, labels, [(time.time_ns(), "new")]).status_code == 204
    assert lines(loki_url, labels, 366 * 24 * HOUR_NS, limit) == ["new"]


def test_line_far_behind_its_stream(engine: Engine, loki_url: str, labels: dict[str, str]) -> None:
    """Loki refuses what is half of `max_chunk_age` behind; the embedded store takes it."""
    now_ns = time.time_ns()
    assert push(loki_url, labels, [(now_ns, "new")]).status_code == 204
    answer = push(loki_url, labels, [(now_ns - 5 * HOUR_NS, "behind")])
    if engine.part == LOKI_PART:
        assert answer.status_code == 400
        assert "too far behind" in answer.text
    else:
        assert answer.status_code == 204
        assert set(lines(loki_url, labels, 6 * HOUR_NS)) == {"new", "behind"}


@pytest.mark.parametrize(("age_h", "reason"), [(8 * 24, "timestamp too old"), (-1, "too new")])
def test_refusal_says_why(loki_url: str, labels: dict[str, str], age_h: int, reason: str) -> None:
    """A line outside of what Loki takes is refused with its reason; its neighbours are stored."""
    now_ns = time.time_ns()
    assert push(loki_url, labels, [(now_ns, "new")]).status_code == 204
    answer = push(loki_url, labels, [(now_ns + 1, "good"), (now_ns - age_h * HOUR_NS, "bad")])
    assert answer.status_code == 400
    assert reason in answer.text
    assert set(lines(loki_url, labels, 200 * HOUR_NS)) == {"new", "good"}


def test_labels_are_those_pushed(loki_url: str) -> None:
    """Loki adds no label, and reads the level from the line into metadata of its own."""
    mark = uuid.uuid4().hex
    labels = {"app": mark}
    assert push(loki_url, labels, [(time.time_ns(), json.dumps({"level": "error"}))]).ok
    (stream,) = select(loki_url, labels)
    assert stream["stream"] == {"app": mark, DETECTED_LEVEL: "error"}


def test_too_many_labels_are_refused(loki_url: str, labels: dict[str, str]) -> None:
    """A stream with more labels than the limit is refused with the reason."""
    many = {f"label_{number}": "x" for number in range(10)}
    answer = push(loki_url, {**labels, **many}, [(time.time_ns(), "line")])
    assert answer.status_code == 400
    assert "label names" in answer.text


@pytest.mark.parametrize("batches", sizes(8, 40))
def test_flood_is_exact(loki_url: str, labels: dict[str, str], batches: int) -> None:
    """Full batches over eight connections at once, retried as a sender does: each stored once."""
    size, start_ns = 5000, time.time_ns() - HOUR_NS // 2
    filler = "z" * 300

    def send(batch: int) -> None:
        first = batch * size
        entries = [
            (start_ns + number, f'{{"number":{number},"filler":"{filler}"}}')
            for number in range(first, first + size)
        ]
        eventually(lambda: push(loki_url, labels, entries).status_code == 204, within_s=120)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(batches)))
    query = f'sum(count_over_time({{service_name="{labels["service_name"]}"}}[1h]))'
    answer = requests.get(f"{loki_url}/loki/api/v1/query", params={"query": query}, timeout=60)
    assert answer.json()["data"]["result"][0]["value"][1] == str(batches * size)


def test_retention_deletes(loki_program: Path, tmp_path: Path, labels: dict[str, str]) -> None:
    """Lines past the retention disappear from the disk; younger ones stay."""
    loki = RunningLoki(loki_program, tmp_path, {"LOKI_RETENTION": "168h"})
    try:
        _deletes(loki, labels)
    finally:
        loki.kill()


def _deletes(loki: RunningLoki, labels: dict[str, str]) -> None:
    loki.start("-ingester.flush-on-shutdown=true")
    now_ns = time.time_ns()
    old, young = {**labels, "age": "old"}, {**labels, "age": "young"}
    assert push(loki.url, old, [(now_ns - 50 * HOUR_NS, "old")]).status_code == 204
    assert push(loki.url, young, [(now_ns - HOUR_NS, "young")]).status_code == 204
    loki.stop()
    chunks = loki.folder / "data/chunks/fake"
    assert _files(chunks) == 2
    loki.variables["LOKI_RETENTION"] = "24h"
    loki.start("-compactor.compaction-interval=1s", "-compactor.retention-delete-delay=1s")
    markers = loki.folder / "data/compactor/retention"
    eventually(lambda: any(one.stat().st_size for one in _all_files(markers)), within_s=60)
    # Loki looks for what is marked at its start, and then every minute.
    loki.stop()
    loki.start("-compactor.compaction-interval=1s", "-compactor.retention-delete-delay=1s")
    eventually(lambda: _files(chunks) == 1, within_s=180)
    assert lines(loki.url, young, 2 * HOUR_NS) == ["young"]


def _files(folder: Path) -> int:
    return len(_all_files(folder))


def _all_files(folder: Path) -> list[Path]:
    return [one for one in folder.rglob("*") if one.is_file()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("THE GUARD AGAINST A FULL DISK IS NOT TESTED: mounting needs root")
    yield folder
    umount = ["umount", "--lazy", str(folder)]
    subprocess.run(umount, check=True)


def test_full_disk_is_guarded(
    make_loki: Callable[..., Any], small_disk: Path, labels: dict[str, str]
) -> None:
    """Above 90 % of the disk pushes get a 5xx, reads go on; with room again pushes succeed."""
    loki = make_loki(LOKI_DATA=str(small_disk))
    assert push(loki.url, labels, [(time.time_ns(), "before")]).status_code == 204
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError):
        ballast.write_bytes(bytes(60 << 20))
    probe = {**labels, "probe": "yes"}
    assert eventually(lambda: _refusal(loki.url, probe), within_s=60) in range(500, 600)
    assert lines(loki.url, {**labels, "probe": ""}) == ["before"]
    ballast.unlink()
    eventually(lambda: push(loki.url, labels, [(time.time_ns(), "after")]).ok, within_s=60)
    assert set(lines(loki.url, {**labels, "probe": ""})) == {"before", "after"}


def _refusal(url: str, labels: dict[str, str]) -> int | None:
    """The status of a refused push, `None` when it is taken."""
    answer = push(url, labels, [(time.time_ns(), "during")])
    return None if answer.ok else answer.status_code
