"""`lokikit spool` on a real Loki: shows what waits, sends it exactly, and loses nothing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from tests.stack.asking import new_labels, recent_entries, run, selector
from tests.stack.conftest import free_ports
from tests.waiting import eventually

from lokikit.delivery.dead_letters import DeadLetters
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import payload
from lokikit.query.client import Loki
from lokikit.spool.segment import segment_paths
from lokikit.spool.spool import DEAD_LETTERS, Spool

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.stack.engines import Running

COUNT = 3_000


def lokikit(url: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """One finished `lokikit spool`."""
    return run(url, "spool", *map(str, arguments))


def entries_of(labels: dict[str, str], count: int) -> list[Entry]:
    """Entries of one stream, the youngest of now."""
    start_ns = time.time_ns() - count * 1_000
    return [
        Entry(start_ns + number * 1_000, f"line {number}", labels, {"request_id": f"{number:x}"})
        for number in range(count)
    ]


def spooled(folder: Path, entries: list[Entry], batch: int = 100) -> Spool:
    """A living process's spool with these entries."""
    spool = Spool(folder, max_bytes=1 << 30, max_age_s=86_400, segment_bytes=100_000)
    for start in range(0, len(entries), batch):
        part = entries[start : start + batch]
        spool.append(payload(part), len(part))
    return spool


def stored(url: str, labels: dict[str, str]) -> list[tuple[int, str, dict[str, str]]]:
    """What Loki has of a stream."""
    found = recent_entries(Loki(url), selector(labels))
    own = {"request_id"}
    return [
        (one.timestamp_ns, one.line, {k: v for k, v in one.metadata.items() if k in own})
        for one in found
    ]


def as_stored(entries: list[Entry]) -> list[tuple[int, str, dict[str, str]]]:
    """What Loki has when it has all of them."""
    return [(one.timestamp_ns, one.line, dict(one.metadata)) for one in entries]


def test_replay_of_orphans(loki_url: str, tmp_path: Path) -> None:
    """The batches of a dead process arrive, each entry once with labels and metadata, and go."""
    labels = new_labels()
    entries = entries_of(labels, COUNT)
    spooled(tmp_path, entries).close()
    done = lokikit("http://127.0.0.1:1", "replay", tmp_path, "--url", loki_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{COUNT} entries delivered to {loki_url}, 0 refused, 0 left" in done.stdout
    assert eventually(lambda: stored(loki_url, labels) == as_stored(entries))
    assert segment_paths(tmp_path) == []


def test_living_owner_is_left_alone(loki_url: str, tmp_path: Path) -> None:
    """Segments of a living process are shown as such, and not sent."""
    labels = new_labels()
    spool = spooled(tmp_path, entries_of(labels, 10))
    shown = lokikit(loki_url, "ls", tmp_path)
    assert "alive" in shown.stdout
    assert "10 entries in 1 segment" in shown.stdout
    done = lokikit(loki_url, "replay", tmp_path)
    assert done.returncode == 0
    assert "1 segment left to the living processes" in done.stderr
    assert spool.entries == 10
    assert stored(loki_url, labels) == []


def test_loki_away(make_loki: Callable[..., Running], tmp_path: Path) -> None:
    """With Loki away the command ends with 4 and keeps all; once it is back, all arrives."""
    labels = new_labels()
    entries = entries_of(labels, COUNT)
    spooled(tmp_path, entries).close()
    letters = DeadLetters(tmp_path / DEAD_LETTERS)
    letter = Entry(time.time_ns(), "letter", labels, {})
    letters.keep(letter, "400 for a test")
    loki = make_loki()
    loki.kill()
    options = (tmp_path, "--timeout", 1, "--dead-letters")
    away = lokikit(loki.url, "replay", *options)
    assert away.returncode == 4
    assert f"0 entries delivered to {loki.url}, 0 refused, {COUNT} left, 1 dead" in away.stdout
    assert "takes no more" in away.stderr
    loki.start()
    assert lokikit(loki.url, "replay", *options).returncode == 0
    assert eventually(lambda: stored(loki.url, labels) == as_stored([*entries, letter]))
    assert list(tmp_path.iterdir()) == []


def test_nothing_listens(tmp_path: Path) -> None:
    """Dead letters taken for a Loki that is not there stand in their file again, in order."""
    letters = DeadLetters(tmp_path / DEAD_LETTERS)
    for entry in entries_of(new_labels(), 7_000):
        letters.keep(entry, "400 for a test")
    before = (tmp_path / DEAD_LETTERS).read_bytes()
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    assert lokikit(url, "replay", tmp_path, "--dead-letters", "--timeout", 0).returncode == 4
    assert (tmp_path / DEAD_LETTERS).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [DEAD_LETTERS]


def test_dead_letters_again(loki_url: str, tmp_path: Path) -> None:
    """Letters that Loki takes now leave the file; the refused and the unreadable stay in it."""
    labels = new_labels()
    good = entries_of(labels, 5)
    old = Entry(10**18, "too old", labels, {})
    letters = DeadLetters(tmp_path / DEAD_LETTERS)
    for entry in (*good[:3], old, *good[3:]):
        letters.keep(entry, "400 the first reason")
    with letters.path.open("ab") as file:
        file.write(b"no letter")
    done = lokikit(loki_url, "replay", tmp_path, "--dead-letters")
    assert done.returncode == 1
    assert "refused 1: see lokikit spool ls" in done.stderr
    assert "5 entries delivered" in done.stdout
    assert eventually(lambda: stored(loki_url, labels) == as_stored(good))
    left = (tmp_path / DEAD_LETTERS).read_bytes().splitlines()
    assert len(left) == 2
    assert b"no letter" in left
    letter = json.loads(next(line for line in left if line != b"no letter"))
    assert letter["line"] == "too old"
    assert "first reason" not in letter["reason"]


def test_letters_of_a_killed_replay(loki_url: str, tmp_path: Path) -> None:
    """What a killed replay had taken is shown, and sent by the next one."""
    labels = new_labels()
    entries = entries_of(labels, 3)
    letters = DeadLetters(tmp_path / DEAD_LETTERS)
    for entry in entries:
        letters.keep(entry, "400 for a test")
    letters.path.rename(tmp_path / "dead-letters.1.replaying")
    assert "3 dead letters, the newest:" in lokikit(loki_url, "ls", tmp_path).stdout
    assert lokikit(loki_url, "replay", tmp_path, "--dead-letters").returncode == 0
    assert eventually(lambda: stored(loki_url, labels) == as_stored(entries))


def test_list(loki_url: str, tmp_path: Path) -> None:
    """The list shows age, entries, size and owner of each segment, and the newest reasons."""
    spooled(tmp_path, entries_of(new_labels(), 42)).close()
    letters = DeadLetters(tmp_path / DEAD_LETTERS)
    for number in range(5):
        letters.keep(entries_of({}, 1)[0], f"400 reason {number}")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    shown = lokikit(loki_url, "ls", tmp_path).stdout
    (segment,) = segment_paths(tmp_path)
    row = next(line for line in shown.splitlines() if segment.name in line).split()
    assert row[1].startswith("0:0")
    assert row[2:] == ["42", str(segment.stat().st_size), "gone"]
    assert [f"reason {number}" in shown for number in range(5)] == [False, False, True, True, True]
    assert "5 dead letters" in shown
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("arguments", [["ls"], ["replay"]])
def test_no_folder(tmp_path: Path, arguments: list[str]) -> None:
    """A folder that is not there is a wrong option, told in one line; it is not made."""
    done = lokikit("http://127.0.0.1:1", *arguments, tmp_path / "none")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "is no folder" in done.stderr
    assert not (tmp_path / "none").exists()


def test_empty_folder(loki_url: str, tmp_path: Path) -> None:
    """Nothing to show and nothing to send is no error."""
    assert lokikit(loki_url, "ls", tmp_path).stdout == (
        "0 entries in 0 segments, 0 bytes.\n0 dead letters.\n"
    )
    assert lokikit(loki_url, "replay", tmp_path, "--dead-letters").returncode == 0
