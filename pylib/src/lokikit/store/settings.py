"""How a store is served: the options of `lokikit store`, in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lokikit.store.limits import StoreLimits, kit_limits

DEFAULT_PORT = 3100
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class ServerSettings:
    """How a store is served.

    Args:
        folder: holds the data.
        host: the address to bind.
        port: 0 takes a free one.
        limits: what a push and a query may hold; retention among them.
        max_queries: queries that run at the same time; others wait for their turn.
        max_pushes: pushes that are written at the same time.
    """

    folder: Path
    host: str = LOOPBACK
    port: int = DEFAULT_PORT
    limits: StoreLimits = field(default_factory=kit_limits)
    max_queries: int = 2
    max_pushes: int = 4
