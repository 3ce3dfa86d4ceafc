"""The objects that the parts of an open store share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.store.segments.disk import remove_files

if TYPE_CHECKING:
    from lokikit.store.segments.catalogue import Catalogue
    from lokikit.store.segments.counters import Counters
    from lokikit.store.segments.database import Cursor
    from lokikit.store.segments.settings import StoreSettings
    from lokikit.store.segments.streams import Streams


class Waste:
    """Tables and files without a reference to them; any thread may add to them."""

    def __init__(self) -> None:
        self.tables: list[str] = []
        self.files: list[Path] = []

    def remove(self, cursor: Cursor) -> None:
        """Remove all of it."""
        while self.tables:
            cursor.execute(f"DROP TABLE IF EXISTS {self.tables.pop()}")
        while self.files:  # in order: a kill leaves a summary alone, never a segment without it
            remove_files([self.files.pop(0)])


@dataclass(frozen=True)
class Core:
    """One open store."""

    folder: Path
    settings: StoreSettings
    counters: Counters
    database: Cursor
    streams: Streams
    catalogue: Catalogue
    waste: Waste
