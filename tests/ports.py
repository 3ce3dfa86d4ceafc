"""Free ports of 127.0.0.1, of which each process of a test run has its own share."""

from __future__ import annotations

import os
import random
import socket
from contextlib import suppress
from itertools import cycle, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_PORT, _PORTS_EACH = 12_000, 2_000
"""Eight processes' shares end below 32,768, where Linux' own choice begins."""


def free_ports(count: int) -> list[int]:
    """`count` different ports of 127.0.0.1 that nothing listens on.

    They lie below those that systems give to clients, which could take one before a server does,
    and each process of a test run has its own share of them.
    """
    return list(islice(_ports, count))


def _own_ports() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = range(_FIRST_PORT + worker * _PORTS_EACH, _FIRST_PORT + (worker + 1) * _PORTS_EACH)
    for port in cycle(random.sample(share, len(share))):
        with suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            yield port


_ports = _own_ports()
