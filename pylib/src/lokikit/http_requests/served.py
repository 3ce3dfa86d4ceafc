"""The request that a context serves, so that the access line of a server does not repeat it."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from urllib.parse import unquote


class ServedRequest:
    """A request that has been logged, to compare the access line of a server with."""

    __slots__ = ("has_access_line", "has_ended", "path")

    def __init__(self) -> None:
        self.path = ""
        self.has_access_line = False
        self.has_ended = False


served: ContextVar[ServedRequest | None] = ContextVar("lokikit_service", default=None)
"""The request that this context serves, or has served last."""


_MAX_REMEMBERED = 1024
_logged_paths: deque[str] = deque(maxlen=_MAX_REMEMBERED)
"""Paths of the last requests, for servers that log them in a context of their own."""
remember_path = _logged_paths.append


def was_logged_elsewhere(path: str) -> bool:
    """Return True when a request of this path was logged in any context; each counts once."""
    with suppress(ValueError):
        _logged_paths.remove(path)
        return True
    return False


def are_logged_here(record: logging.LogRecord | None = None) -> bool:
    """Return True when a request line makes the access line of a server redundant, once.

    True while a middleware of the kit serves a request, and the first time afterwards: another
    application may serve the next request of this thread.
    """
    service = served.get()
    if service is None or (service.has_ended and service.has_access_line):
        return False
    if service.has_ended and record is not None and not _names(record, service.path):
        return False
    service.has_access_line = True
    return True


def is_served_here() -> bool:
    """Return True when a middleware of the kit serves the request of this context, or just did."""
    return served.get() is not None


def _names(record: logging.LogRecord, path: str) -> bool:
    try:
        return path in unquote(record.getMessage())
    except Exception:  # noqa: BLE001 - foreign records may have wrong arguments
        return False
