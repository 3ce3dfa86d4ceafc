"""`lokikit ship` follows files into Loki: at least once, whatever happens to them."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.stack.pushing import sizes
from tests.stack.shipping import Ship, append, lines_of, new_service, stored_lines
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.stack.engines import Running

pytestmark = pytest.mark.loki_in_soak

LINES = 20_000
CHUNK = 50


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The folder that the service writes to."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def ship_for(tmp_path: Path) -> Iterator[Callable[..., Ship]]:
    """Make a shipper that is ended with the test: `ship_for(url, "a.log")`."""
    made: list[Ship] = []

    def make(url: str, *arguments: str, folder: str = "ship") -> Ship:
        made.append(Ship(url, tmp_path / folder, *arguments))
        return made[-1]

    yield make
    for ship in made:
        if ship.process is not None and ship.process.poll() is None:
            ship.end(signal.SIGKILL)


def write_slowly(path: Path, lines: list[bytes], every: Callable[[int], object]) -> None:
    """Write lines in small chunks at some 6,000 a second, calling `every(lines written)`."""
    pace = threading.Event()
    for start in range(0, len(lines), CHUNK):
        append(path, lines[start : start + CHUNK])
        every(start + CHUNK)
        pace.wait(CHUNK / 6_000)


def _has_sent(ship: Ship, count: int) -> bool:
    return ship.sent() == count


def rotate(path: Path) -> None:
    """Rename as `RotatingFileHandler` does: the newest rotated file is `.1`."""
    rotated = sorted(
        path.parent.glob(f"{path.name}.*"), key=lambda one: -int(one.name.rpartition(".")[2])
    )
    for one in rotated:
        number = int(one.name.rpartition(".")[2])
        one.rename(path.with_name(f"{path.name}.{number + 1}"))
    path.rename(path.with_name(f"{path.name}.1"))


@pytest.mark.parametrize("count", sizes(5_000, LINES))
def test_rotation_by_rename_under_load(
    loki_url: str, logs: Path, ship_for: Callable[..., Ship], count: int
) -> None:
    """While a writer rotates its file every 500 lines, every line arrives exactly once."""
    service = new_service()
    lines = list(itertools.islice(lines_of(service), count))
    path = logs / "app.log"
    eventually(ship_for(loki_url, str(path)).start().is_running)
    write_slowly(path, lines, lambda written: rotate(path) if written % 500 == 0 else None)
    assert eventually(lambda: stored_lines(loki_url, service) == sorted(lines), within_s=60)


def test_plain_lines_through_rotation_arrive_once(
    loki_url: str, logs: Path, ship_for: Callable[..., Ship]
) -> None:
    """Lines without a timestamp, which Loki cannot merge, arrive once through rotations."""
    service = new_service()
    lines = [f"plain {number}".encode() for number in range(3_000)]
    path = logs / "app.log"
    ship = ship_for(loki_url, str(path), "--service", service).start()
    eventually(ship.is_running)
    write_slowly(path, lines, lambda written: rotate(path) if written % 250 == 0 else None)
    eventually(lambda: ship.sent() >= len(lines))
    assert ship.end() == 0
    assert stored_lines(loki_url, service) == sorted(lines)


def test_file_rotated_while_the_shipper_is_down(
    loki_url: str, logs: Path, ship_for: Callable[..., Ship]
) -> None:
    """What was written before two rotations that nobody watched is finished from where it was."""
    service = new_service()
    lines = [f"plain {number}".encode() for number in range(400)]
    path = logs / "app.log"
    ship = ship_for(loki_url, str(path), "--service", service)
    append(path, lines[:100])
    ship.start()
    eventually(lambda: ship.sent() == 100)
    assert ship.end() == 0
    append(path, lines[100:200])
    rotate(path)
    append(path, lines[200:300])
    rotate(path)
    append(path, lines[300:])
    ship.start()
    eventually(lambda: ship.sent() == 300)
    assert ship.end() == 0
    assert stored_lines(loki_url, service) == sorted(lines)


def test_copytruncate_starts_over(loki_url: str, logs: Path, ship_for: Callable[..., Ship]) -> None:
    """A truncated file is read from its beginning, said once, and the copy is left alone."""
    service = new_service()
    lines = list(itertools.islice(lines_of(service), 300))
    path = logs / "app.log"
    ship = ship_for(loki_url, str(path)).start()
    append(path, lines[:200])
    eventually(lambda: ship.sent() == 200)
    shutil.copy(path, logs / "app.log.1")
    with path.open("r+b") as file:
        file.truncate(0)
    append(path, lines[200:])
    eventually(lambda: ship.sent() == 300)
    assert ship.end() == 0
    assert stored_lines(loki_url, service) == sorted(lines)
    assert ship.said().count("truncated") == 1


def test_copytruncate_of_a_writer_that_does_not_append(
    loki_url: str, logs: Path, ship_for: Callable[..., Ship]
) -> None:
    """The writer leaves a hole of NUL bytes; its lines arrive without it, each once."""
    service = new_service()
    lines = list(itertools.islice(lines_of(service), 2_000))
    path = logs / "app.log"
    ship = ship_for(loki_url, str(path))
    sent = 0
    with path.open("wb", buffering=0) as writer:
        ship.start()
        while sent < len(lines):
            writer.write(b"".join(line + b"\n" for line in lines[sent : sent + 500]))
            sent += 500
            eventually(partial(_has_sent, ship, sent))
            os.truncate(path, 0)
    assert ship.end() == 0
    assert stored_lines(loki_url, service) == sorted(lines)


@pytest.mark.parametrize("names", [("",), ("", "app.log")], ids=["alone", "beside-a-file"])
def test_folder_is_named_with_what_to_write_instead(
    loki_url: str, logs: Path, ship_for: Callable[..., Ship], names: tuple[str, ...]
) -> None:
    """Alone it ends the command; beside a file it is left out."""
    ship = ship_for(loki_url, *(str(logs / name) for name in names)).start()
    assert ship.process is not None
    if len(names) == 1:
        assert ship.process.wait(30) == 2
        assert f"{logs} is a folder: name its files, as in '{logs}/*.log'" in ship.said()
        return
    eventually(lambda: f"{logs} is a folder" in ship.said())
    eventually(lambda: f"no file at {logs}/app.log yet" in ship.said())
    assert ship.end() == 0


@pytest.mark.parametrize("count", sizes(5_000, LINES))
def test_sigkill_at_random_moments_loses_nothing(
    loki_url: str, logs: Path, ship_for: Callable[..., Ship], count: int
) -> None:
    """Killed and started again while a writer writes and rotates, all lines arrive once."""
    service = new_service()
    lines = list(itertools.islice(lines_of(service), count))
    path = logs / "app.log"
    ship = ship_for(loki_url, str(path)).start()
    eventually(ship.is_running)
    # The short form writes for about a second: most kills find a shipper that is still starting.
    kills = iter(sorted(random.Random(0).sample(range(CHUNK, count, CHUNK), 4)))
    next_kill = next(kills)

    def disturb(written: int) -> None:
        nonlocal next_kill
        if written % 1_000 == 0:
            rotate(path)
        if written == next_kill:
            ship.end(signal.SIGKILL)
            ship.start()
            next_kill = next(kills, -1)

    write_slowly(path, lines, disturb)
    assert eventually(lambda: stored_lines(loki_url, service) == sorted(lines), within_s=60)
    assert next_kill == -1


def test_sigkill_sends_again_only_what_was_in_flight(
    loki_url: str, logs: Path, ship_for: Callable[..., Ship]
) -> None:
    """Lines acknowledged before a SIGKILL are not sent again."""
    service = new_service()
    path = logs / "app.log"
    ship = ship_for(loki_url, str(path), "--service", service).start()
    append(path, [b"plain %d" % number for number in range(500)])
    eventually(lambda: ship.sent() == 500)
    size = path.stat().st_size
    eventually(lambda: f'"offset": {size}' in ship.positions.read_text())
    ship.end(signal.SIGKILL)
    append(path, [b"last"])
    ship.start()
    eventually(lambda: b"last" in stored_lines(loki_url, service))
    assert len(stored_lines(loki_url, service)) == 501


def test_new_file_of_a_glob_is_picked_up(
    loki_url: str, logs: Path, ship_for: Callable[..., Ship]
) -> None:
    """A file that begins to match later is followed; its stem names lines that name none."""
    first, second = new_service(), new_service()
    append(logs / f"{first}.log", [b"plain"])
    ship_for(loki_url, str(logs / "*.log")).start()
    eventually(lambda: stored_lines(loki_url, first) == [b"plain"])
    append(logs / f"{second}.log", [b"also plain"])
    assert eventually(lambda: stored_lines(loki_url, second) == [b"also plain"])


def test_second_shipper_on_the_same_positions_is_refused(
    loki_url: str, logs: Path, ship_for: Callable[..., Ship]
) -> None:
    """The lines of one positions file are shipped by one process."""
    first = ship_for(loki_url, str(logs / "app.log")).start()
    eventually(first.is_running)
    second = ship_for(loki_url, str(logs / "app.log"))
    second.start()
    assert second.process is not None
    assert second.process.wait(30) == 3
    assert "in use by another lokikit ship" in second.said()
    second.process = None
    assert first.end() == 0


def run_outage(loki: Running, path: Path, ship: Ship, lines: list[bytes], away_s: float) -> None:
    """Write with Loki killed from a third of the lines on, back after `away_s`."""
    eventually(ship.start().is_running)
    back_s = float("inf")
    third = len(lines) // 3 // CHUNK * CHUNK

    def disturb(written: int) -> None:
        nonlocal back_s
        if written == third:
            loki.kill()
            back_s = time.monotonic() + away_s
        if written % 1_000 == 0:
            rotate(path)
        if time.monotonic() > back_s:
            back_s = float("inf")
            loki.start()

    write_slowly(path, lines, disturb)
    if back_s < float("inf"):
        eventually(lambda: time.monotonic() > back_s, within_s=away_s + 5)
        loki.start()


def test_loki_away_loses_nothing(
    make_loki: Callable[..., Running], logs: Path, ship_for: Callable[..., Ship]
) -> None:
    """Loki is killed under load and comes back: all lines arrive, and the outage was said."""
    loki, service = make_loki(), new_service()
    lines = list(itertools.islice(lines_of(service), 5_000))
    ship = ship_for(loki.url, str(logs / "app.log"))
    run_outage(loki, logs / "app.log", ship, lines, away_s=2)
    assert eventually(lambda: stored_lines(loki.url, service) == sorted(lines), within_s=90)
    assert "does not take lines" in ship.said()
    assert "takes lines again" in ship.said()
    assert ship.end() == 0
    assert ship.stats()["retried"] > 0


@pytest.mark.soak
def test_loki_away_for_a_minute_loses_nothing(
    make_loki: Callable[..., Running], logs: Path, ship_for: Callable[..., Ship]
) -> None:
    """A minute without Loki, with rotations and a SIGKILL of the shipper in it, loses nothing."""
    loki, service = make_loki(), new_service()
    lines = list(itertools.islice(lines_of(service), 100_000))
    ship = ship_for(loki.url, str(logs / "app.log"))

    def kill_once() -> None:
        ship.end(signal.SIGKILL)
        ship.start()

    killer = threading.Timer(40, kill_once)
    killer.start()
    run_outage(loki, logs / "app.log", ship, lines, away_s=60)
    killer.join()
    assert eventually(lambda: stored_lines(loki.url, service) == sorted(lines), within_s=200)
    assert "does not take lines" in ship.said()
