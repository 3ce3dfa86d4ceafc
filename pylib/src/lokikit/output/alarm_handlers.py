"""The test for handlers that report errors to people: error trackers, mail, errors only."""

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
"""Packages whose handlers create an event for a record."""
_MAIL = frozenset({("logging.handlers", "SMTPHandler"), ("django.utils.log", "AdminEmailHandler")})
"""Modules and classes by name, because this imports neither."""


_OWN = ("lokikit.requests", "lokikit.tasks.", "lokikit.output.uncaught", "lokikit.celery.")
"""Beginnings of the names of loggers for lines that only the kit writes."""


def is_own_line(record: logging.LogRecord) -> bool:
    """Return True for the kit's own record of a request, a task or an uncaught exception."""
    return record.name.startswith(_OWN)


def is_alarm(handler: logging.Handler) -> bool:
    """Return True when a line about a request or task would create an event or a mail.

    Only the kit writes that line. The exception in it has its event already: by the tracker's hook
    in the framework, or by the record that the framework logs itself.
    """
    target: Any = getattr(handler, "target", None)  # of a `MemoryHandler`
    if isinstance(target, logging.Handler):
        return is_alarm(target)
    if any(map(_reports, type(handler).__mro__)):
        return True
    return handler.level >= logging.ERROR and not _keeps_lines(handler)


def _keeps_lines(handler: logging.Handler) -> bool:
    """Return True for a handler of errors that writes lines of the kit, or captures a test."""
    is_of_pytest = type(handler).__module__.startswith("_pytest.")
    return hasattr(handler.formatter, "render") or gets_our_lines(handler) or is_of_pytest


def _reports(kind: type) -> bool:
    package = kind.__module__.partition(".")[0]
    return package in _TRACKERS or (kind.__module__, kind.__name__) in _MAIL
