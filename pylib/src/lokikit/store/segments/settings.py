"""The sizes and times of a store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MIB = 1 << 20
HOUR_S = 3600.0


@dataclass(frozen=True)
class StoreSettings:
    """Sizes and times of one store.

    Args:
        seal_bytes: bytes of unsealed lines that become a segment.
        seal_age_s: lines that are unsealed for so long become a segment.
        merge_count: number of neighbouring segments of about one size that are merged.
        merged_max_bytes: lines in a merged segment, at most.
        retention_s: lines older than that are deleted; 0 keeps all.
        min_free_bytes: with less free space on the disk, pushes are refused.
        memory_limit_bytes: what DuckDB may use; beyond it, it writes to the data folder.
        threads: of DuckDB.
        zstd_level: of the segments' compression.
        insert_rows: rows that go from the buffer into DuckDB at once.
        insert_age_s: fewer rows than that wait so long.
        upkeep_s: time between two looks for what to seal, merge or delete.
        clock_ns: nanoseconds since 1970.
    """

    seal_bytes: int = 64 * MIB
    seal_age_s: float = HOUR_S
    merge_count: int = 8
    merged_max_bytes: int = 256 * MIB
    retention_s: float = 7 * 24 * HOUR_S
    min_free_bytes: int = 512 * MIB
    memory_limit_bytes: int = 256 * MIB
    threads: int = 2
    zstd_level: int = 3
    insert_rows: int = 4000
    insert_age_s: float = 1.0
    upkeep_s: float = 1.0
    clock_ns: Callable[[], int] = time.time_ns

    def oldest_kept_ns(self) -> int:
        """Time before which lines are deleted."""
        return self.clock_ns() - int(self.retention_s * 1e9) if self.retention_s else 0
