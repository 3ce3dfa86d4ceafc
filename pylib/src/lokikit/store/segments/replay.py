"""Reads back, at a start, the logs that no segment covers."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.store.segments.append_log import cut_torn_end, log_number, log_path, read_log
from lokikit.store.segments.damaged import keep_damage
from lokikit.store.segments.ingest import MAX_WAITING, Ingest
from lokikit.store.segments.stored_rows import decode_rows

if TYPE_CHECKING:
    from lokikit.store.segments.core import Core
    from lokikit.store.segments.counters import Counters
    from lokikit.store.segments.head import Head

_TIME = itemgetter(0)


def replay_logs(core: Core, ingest: Ingest) -> None:
    """Put the rows of all logs into a head, and begin a new log.

    New rows go into the same head, or where it has many rows, which DuckDB does not have yet, into
    another one: the first push waits for no insertion of old rows.
    """
    folder, catalogue, streams, counters = core.folder, core.catalogue, core.streams, core.counters
    keep_damage(folder, streams.path, streams.damages, counters)
    numbers = _renumbered(folder, catalogue.last_log)
    first = numbers[0] if numbers else catalogue.last_log + 1
    head = ingest.new_head(first)
    for number in numbers:
        _replay(folder, number, head, counters)
    streams.name_unknown(head.newest_ns)
    last = numbers[-1] if numbers else first - 1
    is_empty = bool(numbers) and not log_path(folder, last).stat().st_size
    following = last if is_empty else last + 1
    if head.waiting > MAX_WAITING:
        head.last_log = following - 1
        catalogue.add_head(head)
        head = ingest.new_head(following)
        ingest.needs_seal.set()
    ingest.begin(head, following)
    ingest.has_rows.set()


def _renumbered(folder: Path, last_sealed: int) -> list[int]:
    """Numbers of the logs, all higher than the numbers in names of segments."""
    numbers = sorted(n for path in folder.iterdir() if (n := log_number(path)) is not None)
    highest = max([last_sealed, *numbers])
    for number in [n for n in numbers if n <= last_sealed]:
        highest += 1
        log_path(folder, number).rename(log_path(folder, highest))
        numbers.append(highest)
    return sorted(n for n in numbers if n > last_sealed)


def _replay(folder: Path, number: int, head: Head, counters: Counters) -> None:
    path = log_path(folder, number)
    payloads, damages = read_log(path)
    keep_damage(folder, path, cut_torn_end(path, damages), counters)
    for payload in payloads:
        rows = decode_rows(payload)
        if rows:
            head.publish(sorted(rows, key=_TIME))  # logs of older versions have any order
            counters.add("replayed_rows", len(rows))
