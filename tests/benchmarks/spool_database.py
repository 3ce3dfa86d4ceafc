"""The spool benchmark's other side: a spool of batches in a SQLite database."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class SpoolDatabase:
    """Batches in a SQLite database in WAL mode, each with a checksum; one for each process.

    Args:
        folder: holds the file `spool.sqlite`.
        synchronous: OFF and NORMAL survive the end of the process, FULL a power cut.
        page_bytes: size of a page; a commit writes at least the page that changed.
    """

    adopted = 0

    def __init__(self, folder: Path, synchronous: str, page_bytes: int = 4096) -> None:
        folder.mkdir(exist_ok=True)
        self.entries = 0
        self.dropped: dict[str, int] = {}
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            folder / "spool.sqlite", isolation_level=None, check_same_thread=False, timeout=60
        )
        self._connection.execute(f"PRAGMA page_size={page_bytes}")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute(f"PRAGMA synchronous={synchronous}")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS batches"
            "(id INTEGER PRIMARY KEY, entries INTEGER, checksum INTEGER, body BLOB)"
        )

    def append(self, body: bytes, entries: int, since_ns: int | None = None) -> None:
        """Keep one batch; `since_ns` is not needed here."""
        del since_ns
        with self._lock:
            self._connection.execute(
                "INSERT INTO batches(entries, checksum, body) VALUES (?, ?, ?)",
                (entries, zlib.crc32(body), body),
            )
            self.entries += entries

    def bodies(self) -> list[bytes]:
        """Return every batch whose checksum is right, up to the first that SQLite cannot read."""
        found: list[bytes] = []
        try:
            rows = self._connection.execute("SELECT checksum, body FROM batches ORDER BY id")
            found.extend(body for checksum, body in rows if zlib.crc32(body) == checksum)
        except sqlite3.DatabaseError:
            pass
        return found

    def read(self, *_: int) -> None:
        """Return nothing: only appends are measured."""

    def adopt(self) -> int:
        """Return 0: no process has died."""
        return 0

    def close(self) -> None:
        """Close the database."""
        self._connection.close()
