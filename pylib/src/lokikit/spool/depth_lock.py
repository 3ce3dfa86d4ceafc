"""A lock that a signal handler may enter while its thread holds it."""

from __future__ import annotations

import threading


class DepthLock:
    """A reentrant lock that yields its depth: above 1 inside a signal handler."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0

    def __enter__(self) -> int:
        self._lock.acquire()
        self._depth += 1
        return self._depth

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self._lock.release()
