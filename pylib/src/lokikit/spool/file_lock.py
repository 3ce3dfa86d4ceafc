"""A lock on an open file, which the system releases when its process ends."""

from __future__ import annotations

from typing import BinaryIO

try:
    import fcntl
except ImportError:
    HAS_LOCKS = False
else:
    HAS_LOCKS = True


__all__ = ["HAS_LOCKS", "try_lock"]


def try_lock(file: int | BinaryIO) -> bool:
    """Lock an open file; return False when another open file holds the lock.

    Always True on Windows, which has no such locks: two processes are not kept apart there.

    Raises:
        OSError: this file system has no locks.
    """
    if HAS_LOCKS:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
