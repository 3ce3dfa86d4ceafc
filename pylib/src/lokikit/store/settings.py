"""How a store is run: the arguments of `lokikit store`, in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lokikit.store.limits import StoreLimits, kit_limits

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_PORT = 3100
LOOPBACK = "127.0.0.1"
_MIB = 1 << 20


@dataclass(frozen=True)
class StoreSettings:
    """How a store is run.

    Args:
        limits: what a push and a query may hold; retention and the disk guard among them.
        max_engine_bytes: the most memory that DuckDB may take.
        engine_threads: the most threads that DuckDB may use.
        seal_bytes: an append log that holds more becomes a Parquet segment.
        seal_after_s: an append log that is older becomes a Parquet segment.
        max_queries: queries that run at the same time; others wait.
    """

    limits: StoreLimits = field(default_factory=kit_limits)
    max_engine_bytes: int = 384 * _MIB
    engine_threads: int = 2
    seal_bytes: int = 64 * _MIB
    seal_after_s: float = 3600.0
    max_queries: int = 4


@dataclass(frozen=True)
class ServerSettings:
    """Where a store is served.

    Args:
        folder: holds the data.
        host: the address to bind.
        port: 0 takes a free one.
    """

    folder: Path
    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    store: StoreSettings = field(default_factory=StoreSettings)
