"""Which request a context serves, so that the access line of a server does not repeat its line."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    import logging


class ServedRequest:
    """What the access line of a server can be compared with, when it comes behind a request."""

    __slots__ = ("has_access_line", "has_ended", "path")

    def __init__(self) -> None:
        self.path = ""
        self.has_access_line = False
        self.has_ended = False


served: ContextVar[ServedRequest | None] = ContextVar("lokikit_service", default=None)
"""Of the request that this context serves, or has served last."""


def are_told_here(record: logging.LogRecord | None = None) -> bool:
    """Whether a request line says what an access line says, which the server logs once.

    While a middleware of ours serves a request, or the first time afterwards: an application
    beside the wrapped one may serve the next request of this thread.
    """
    service = served.get()
    if service is None or (service.has_ended and service.has_access_line):
        return False
    if service.has_ended and record is not None and not _names(record, service.path):
        return False
    service.has_access_line = True
    return True


def is_served_here() -> bool:
    """Whether a middleware of ours serves the request of this context, or has just done so."""
    return served.get() is not None


def _names(record: logging.LogRecord, path: str) -> bool:
    try:
        return path in unquote(record.getMessage())
    except Exception:  # noqa: BLE001 - wrong arguments of a stranger's record
        return False
