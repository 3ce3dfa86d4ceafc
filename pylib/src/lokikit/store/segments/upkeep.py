"""The background work of a store: insert, seal, merge, delete, verify."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lokikit.store.segments.append_log import log_path
from lokikit.store.segments.disk import remove_files
from lokikit.store.segments.merging import choose_merge, merge_segments
from lokikit.store.segments.segment import write_segment

if TYPE_CHECKING:
    from lokikit.store.segments.core import Core
    from lokikit.store.segments.head import Head
    from lokikit.store.segments.ingest import Ingest

_RETRY_S = 5.0


class Upkeep:
    """The background work of a store, in two threads."""

    def __init__(self, core: Core, ingest: Ingest) -> None:
        self._core, self._ingest = core, ingest
        self._catalogue, self._settings = core.catalogue, core.settings
        self._counters, self._waste = core.counters, core.waste
        self._cursor = core.database.cursor()
        self._lock = threading.RLock()
        self._stops = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(turn,), name=f"store-{name}", daemon=True)
            for name, turn in (("insert", self._insert), ("upkeep", self._keep_up))
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Return when both threads have ended."""
        self._stops.set()
        self._ingest.has_rows.set()
        self._ingest.needs_seal.set()
        for thread in self._threads:
            thread.join()

    def _run(self, turn: Callable[[], None]) -> None:
        while not self._stops.is_set():
            self._try(turn)

    def _try(self, turn: Callable[[], None]) -> None:
        try:
            turn()
        except Exception as error:  # noqa: BLE001 - counted, reported, and tried again
            self._counters.add("upkeep_failures")
            name = threading.current_thread().name
            self._counters.notice(f"{name} failed and is tried again: {error}", kind=name)
            self._stops.wait(_RETRY_S)

    def _insert(self) -> None:
        """Move rows into DuckDB when there are enough of them, or after a while."""
        has_rows, settings = self._ingest.has_rows, self._settings
        has_rows.wait()
        deadline_s = time.monotonic() + settings.insert_age_s
        while self._ingest.waiting() < settings.insert_rows and not self._stops.is_set():
            has_rows.clear()
            if not has_rows.wait(max(deadline_s - time.monotonic(), 0)):
                break
        has_rows.clear()
        if self._ingest.insert(settings.insert_rows):
            has_rows.set()

    def _keep_up(self) -> None:
        self._ingest.needs_seal.wait(self._settings.upkeep_s)
        self._ingest.needs_seal.clear()
        if self._ingest.age_s(time.monotonic()) > self._settings.seal_age_s:
            self._ingest.rotate()
        self.maintain()
        self._verify_next()

    def maintain(self) -> None:
        """Seal, delete and merge what is due."""
        with self._lock:
            self.seal()
            self._delete_expired()
            self._merge()
            self._waste.remove(self._cursor)

    def seal(self) -> None:
        """Seal every head that takes no new rows any more."""
        with self._lock:
            for head in self._catalogue.holdings.heads[:-1]:
                self._seal(head)

    def _seal(self, head: Head) -> None:
        head.insert()
        segment = write_segment(
            self._cursor,
            self._core.folder,
            logs=(head.first_log, head.last_log),
            select=f"SELECT * FROM {head.table}{'' if head.is_ordered else ' ORDER BY ts, rowid'}",
            zstd_level=self._settings.zstd_level,
            labels=self._core.streams.labels,
            source=head.table,
        )
        self._catalogue.replace([], [segment], sealed=head)
        numbers = range(head.first_log, head.last_log + 1)
        remove_files([log_path(self._core.folder, number) for number in numbers])
        self._counters.add("seals")
        self._ingest.is_sealed.set()

    def _delete_expired(self) -> None:
        """Delete segments whose rows are all too old; queries leave out other old rows."""
        oldest_ns = self._settings.oldest_kept_ns()
        expired = [one for one in self._catalogue.segments if one.name.max_ns < oldest_ns]
        if expired:
            self._catalogue.replace(expired, [])
            self._counters.add("deleted_segments", len(expired))
            for segment in expired:
                segment.remove_when_unused(self._waste.files.extend)

    def _merge(self) -> None:
        """Merge small segments, when there are enough of them."""
        chosen = choose_merge(self._catalogue.segments, self._settings)
        if not chosen or len(self._catalogue.intact(chosen)) < len(chosen):
            return
        merged = merge_segments(
            self._cursor,
            self._core.folder,
            chosen,
            self._core.streams.labels,
            self._settings.zstd_level,
        )
        self._catalogue.replace(chosen, [merged])
        self._counters.add("merges")
        for segment in chosen:
            segment.remove_when_unused(self._waste.files.extend)

    def _verify_next(self) -> None:
        """Verify one more segment, the newest first, so that queries need not wait for it."""
        for segment in reversed(self._catalogue.segments):
            if not segment.is_verified:
                self._catalogue.intact([segment])
                self._ingest.needs_seal.set()
                return
