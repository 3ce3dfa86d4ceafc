"""The spool's own files beside SQLite in WAL mode: cost for the caller, waits, damage, size.

    python -m tests.benchmarks.spool

Why the spool is not a SQLite database: docs/architecture.md has the decision, this its figures.
`SpoolDatabase` is the least that a spool in SQLite would need, without caps, age and adoption.
Nothing here is asserted on time.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import resource
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tests.benchmarks import markdown
from tests.benchmarks.measurement import Table
from tests.benchmarks.spool_database import SpoolDatabase

import lokikit
from lokikit.spool.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.measurement import Cell

CALLS = 5_000
_ROUNDS = 5
_WRITERS = 4
_BODY = b"x" * 420
_PLACES = 50
_NOBODY = 65_534
_BIG = 1 << 40
_NOWHERE = "http://127.0.0.1:9/loki/api/v1/push"


class _Appending(Protocol):
    def append(self, body: bytes, entries: int, since_ns: int | None = None) -> None: ...

    def close(self) -> None: ...


def _files(folder: Path, *, sync: bool = False) -> Spool:
    return Spool(folder, max_bytes=_BIG, max_age_s=_BIG, sync=sync)


_OPENERS: dict[str, Callable[[Path], Any]] = {
    "own files": _files,
    "SQLite, OFF": lambda folder: SpoolDatabase(folder, "OFF"),
    "SQLite, OFF, pages of 512 bytes": lambda folder: SpoolDatabase(folder, "OFF", 512),
    "SQLite, NORMAL": lambda folder: SpoolDatabase(folder, "NORMAL"),
}
_POWER_SAFE: dict[str, Callable[[Path], Any]] = {
    "own files, fsync": lambda folder: _files(folder, sync=True),
    "SQLite, FULL": lambda folder: SpoolDatabase(folder, "FULL"),
}


def append_us(spool: _Appending, calls: int) -> tuple[float, float, float]:
    """Return the CPU time and the median and longest time of one `append`, in microseconds."""
    times_ns = []
    cpu_ns = time.thread_time_ns()
    for _ in range(calls):
        start_ns = time.perf_counter_ns()
        spool.append(_BODY, 1)
        times_ns.append(time.perf_counter_ns() - start_ns)
    cpu_ns = time.thread_time_ns() - cpu_ns
    return cpu_ns / calls / 1e3, statistics.median(times_ns) / 1e3, max(times_ns) / 1e3


def logger_us(spool: Any, folder: Path) -> float:
    """Return the CPU time of one `logger.info` with a durable handler, in microseconds."""
    handler = lokikit.LokiHandler(_NOWHERE, spool_dir=folder / "unused", durable=True)
    own, handler._worker._disk._spool = handler._worker._disk._spool, spool
    if own is not None:
        own.close()
    logger = logging.getLogger("shop.orders")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    try:
        begin_ns = time.thread_time_ns()
        for number in range(CALLS):
            logger.info("order placed", extra={"number": number, "total": 12.5, "shop": "Nice"})
        return (time.thread_time_ns() - begin_ns) / CALLS / 1e3
    finally:
        logger.removeHandler(handler)
        handler._worker._disk._spool = None
        handler.close()


def _write_and_report(name: str, folder: Path, results: Any) -> None:
    results.put(append_us(_OPENERS[name](folder), CALLS)[1:])


def contended_us(name: str, folder: Path) -> tuple[float, float]:
    """Return the median and longest `append` in microseconds while several processes write."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    writers = [
        context.Process(target=_write_and_report, args=(name, folder, results))
        for _ in range(_WRITERS)
    ]
    for writer in writers:
        writer.start()
    times = [results.get() for _ in writers]
    for writer in writers:
        writer.join()
    return statistics.median(median for median, _ in times), max(longest for _, longest in times)


def read_after_damage(name: str, folder: Path) -> tuple[float, int]:
    """Return how many of `CALLS` batches are read when one byte is changed: mean and worst."""
    spool = _OPENERS[name](folder)
    for _ in range(CALLS):
        spool.append(_BODY, 1)
    spool.close()
    (file,) = folder.iterdir()
    data = file.read_bytes()
    read = [_read_damaged(name, folder, file, data, part) for part in range(_PLACES)]
    return round(statistics.mean(read)), min(read)


def _read_damaged(name: str, folder: Path, file: Path, data: bytes, part: int) -> int:
    damaged = bytearray(data)
    damaged[len(data) * part // _PLACES] ^= 0xFF
    file.write_bytes(damaged)
    try:
        spool = _OPENERS[name](folder)
    except sqlite3.DatabaseError:
        return 0
    if isinstance(spool, SpoolDatabase):
        bodies = spool.bodies()
    else:
        spool.adopt()
        bodies = _all_of(spool)
    file.unlink()
    spool.close()
    return len(bodies)


def _all_of(spool: Spool) -> list[bytes]:
    readings = iter(lambda: spool.read(_BIG, _BIG), None)
    return [body for reading in readings for body in reading.bodies]


def read_without_rights(name: str, folder: Path) -> str:
    """Return what is read of a left spool by a user who may change files, but make none."""
    spool = _OPENERS[name](folder)
    spool.append(_BODY, 1)
    spool.close()
    user = os.geteuid()
    for path in (folder, *folder.iterdir()):
        os.chown(path, user or _NOBODY, -1)
    folder.chmod(0o500)
    here = Path.cwd()
    os.chdir(folder)
    os.seteuid(user or _NOBODY)
    try:
        spool = _OPENERS[name](Path())
        if isinstance(spool, SpoolDatabase):
            return f"{len(spool.bodies())} of 1"
        spool.adopt()
        return f"{len(_all_of(spool))} of 1"
    except (sqlite3.Error, OSError) as error:
        return f"0 of 1: {error}"
    finally:
        os.seteuid(user)
        os.chdir(here)
        folder.chmod(0o700)


def error_without_room(name: str, folder: Path) -> str:
    """Return the error of an append when the file may not grow, and its number."""
    spool = _OPENERS[name](folder)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        for _ in range(CALLS):
            spool.append(_BODY, 1)
    except (sqlite3.Error, OSError) as error:
        text = str(error).replace(str(folder), "FOLDER")
        return f"{text}, errno {getattr(error, 'errno', None)}"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    return "none"


def size_of_one_line(name: str, folder: Path) -> int:
    """Return the bytes on disk of an open spool that holds one line."""
    spool = _OPENERS[name](folder)
    spool.append(_BODY, 1)
    size_bytes = sum(file.stat().st_size for file in folder.iterdir())
    spool.close()
    return size_bytes


def report() -> list[Table]:
    """Measure all candidates in turn, and return the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # another user must get through to the folder without rights
        return [_costs(folder), _power_safe_costs(folder), _promises(folder)]


def _costs(folder: Path) -> Table:
    costs: dict[str, list[tuple[float, ...]]] = {name: [] for name in _OPENERS}
    for turn in range(_ROUNDS):
        for number, (name, opened) in enumerate(_OPENERS.items()):
            place = folder / f"{turn}-{number}"
            place.mkdir()
            appended = append_us(opened(place / "append"), CALLS)
            costs[name].append((*appended, logger_us(opened(place / "logger"), place)))
    rows: list[list[Cell]] = []
    for number, name in enumerate(_OPENERS):
        least = (min(column) for column in zip(*costs[name], strict=True))
        rows.append([name, *least, *contended_us(name, folder / f"shared-{number}")])
    columns = [
        *("microseconds", "append, CPU", "append, median", "append, longest"),
        *("`logger.info`, durable, CPU", f"append of {_WRITERS} processes, median"),
        f"append of {_WRITERS} processes, longest",
    ]
    head = (
        f"The least of {_ROUNDS} rounds of {CALLS:,} calls. The {_WRITERS} processes write to one "
        "folder or database."
    )
    return Table("costs", columns, rows, head)


def _power_safe_costs(folder: Path) -> Table:
    rows: list[list[Cell]] = [
        [name, *append_us(opened(folder / f"safe-{number}"), CALLS // 10)]
        for number, (name, opened) in enumerate(_POWER_SAFE.items())
    ]
    columns = ["microseconds", "append, CPU", "append, median", "append, longest"]
    return Table("power", columns, rows, "Safe from a power cut:")


def _promises(folder: Path) -> Table:
    rows: list[list[Cell]] = []
    for number, name in enumerate(_OPENERS):
        places = (folder / f"{number}-{check}" for check in ("size", "damage", "rights", "room"))
        size, damage, rights, room = places
        rows.append(
            [
                *(name, size_of_one_line(name, size), *read_after_damage(name, damage)),
                *(read_without_rights(name, rights), error_without_room(name, room)),
            ]
        )
    columns = [
        *("", "bytes of one line", "read after damage, mean", "read after damage, worst"),
        *("read where no file may be made", "error when the file cannot grow"),
    ]
    head = f"Damage: one changed byte at {_PLACES} places, in a file of {CALLS:,} batches."
    return Table("promises", columns, rows, head)


if __name__ == "__main__":
    print(markdown.tables(report()))
