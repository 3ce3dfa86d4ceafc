"""A process that pushes without end until it is killed; it prints each acknowledged batch."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

from lokikit.store.segments.schema import PushedEntry
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store

BATCH_ROWS = 40
THREADS = 3
SETTINGS = StoreSettings(
    seal_bytes=20_000,
    merge_count=3,
    merged_max_bytes=200_000,
    min_free_bytes=0,
    retention_s=3600,
    insert_rows=50,
    insert_age_s=0.01,
    upkeep_s=0.01,
)


def batch(run: str, number: int, *, is_old: bool = False) -> list[PushedEntry]:
    """A batch that its name tells apart; an old batch is beyond the retention soon."""
    age_s = 3600 - 0.5 if is_old else 60
    now_ns = time.time_ns() - int(age_s * 1e9)
    labels = {"service_name": "old" if is_old else f"s{number % 3}"}
    metadata = {"detected_level": "info"}
    return [
        PushedEntry(labels, now_ns + row, f'{{"id":"{run}-{number}-{row}"}}', metadata)
        for row in range(BATCH_ROWS)
    ]


def push_forever(store: Store, run: str) -> None:
    """Push batches, some twice, and print their names once they are stored."""
    number = 0
    while True:
        number += 1
        entries = batch(run, number)
        store.push(entries)
        if number % 5 == 0:
            store.push(entries)
        if number % 7 == 0:
            store.push(entries[::2] + batch(f"{run}-late", number)[::-1])
        os.write(1, f"{run}-{number}\n".encode())


def main() -> None:
    """Run until killed: `killed_store.py FOLDER RUN`."""
    store = Store.open(Path(sys.argv[1]), SETTINGS)
    store.push(batch(f"old-{sys.argv[2]}", 0, is_old=True))
    store.flush()  # a segment that is beyond the retention in half a second
    runs = [f"{sys.argv[2]}.{n}" for n in range(THREADS)]
    threads = [threading.Thread(target=push_forever, args=(store, run)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
