"""Which handlers report errors to people: error trackers, mail, handlers that take errors alone."""

from __future__ import annotations

import logging
from typing import Any

from lokikit.output.stdout_handler import gets_our_lines

_TRACKERS = frozenset(
    {
        "airbrake",
        "appsignal",
        "bugsnag",
        "elasticapm",
        "honeybadger",
        "pybrake",
        "raven",
        "raygun4py",
        "rollbar",
        "sentry_sdk",
    }
)
"""Packages whose handlers make an event of a record."""
_MAIL = frozenset({("logging.handlers", "SMTPHandler"), ("django.utils.log", "AdminEmailHandler")})
"""Modules and classes, for neither is imported for this."""


_OWN = ("lokikit.requests", "lokikit.tasks.", "lokikit.output.uncaught", "lokikit.celery.")
"""How the names of loggers begin whose lines nobody wrote without the kit."""


def is_own_line(record: logging.LogRecord) -> bool:
    """Return True for the kit's own record of a request, a task or an uncaught exception."""
    return record.name.startswith(_OWN)


def is_alarm(handler: logging.Handler) -> bool:
    """Return True when a line about a request or task would be a new event or mail there.

    Without the kit nobody wrote that line, and the exception in it has its event by another way:
    the tracker's hook in the framework, or the record that the framework logs itself.
    """
    target: Any = getattr(handler, "target", None)  # of a `MemoryHandler`
    if isinstance(target, logging.Handler):
        return is_alarm(target)
    if any(map(_reports, type(handler).__mro__)):
        return True
    return handler.level >= logging.ERROR and not _keeps_lines(handler)


def _keeps_lines(handler: logging.Handler) -> bool:
    """Return True for a handler of errors alone that writes our lines, or captures a test's."""
    is_of_pytest = type(handler).__module__.startswith("_pytest.")
    return hasattr(handler.formatter, "render") or gets_our_lines(handler) or is_of_pytest


def _reports(kind: type) -> bool:
    package = kind.__module__.partition(".")[0]
    return package in _TRACKERS or (kind.__module__, kind.__name__) in _MAIL
