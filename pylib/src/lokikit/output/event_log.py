"""Request lines and task actions: logged regardless of logger level, each exception once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from lokikit.output.alarm_handlers import is_alarm
from lokikit.output.logged_exceptions import mark_logged, was_logged
from lokikit.output.stdout_handler import StdoutHandler, gets_our_lines


class Place(NamedTuple):
    """Where in the code a line comes from: path, number of the line, function."""

    path: str
    line: int
    function: str


def log_event(  # noqa: PLR0913 - the parts of a record
    logger: logging.Logger,
    level: int,
    text: tuple[object, ...],
    *,
    fields: Mapping[str, Any],
    place: Place,
    exception: BaseException | None = None,
) -> bool:
    """Log a line past the levels of `logger` and its parents, and past its being disabled.

    A library that sets the root logger to WARNING, or a `dictConfig` that disables the loggers
    it does not name, silences messages; events are still logged. Levels and filters of
    handlers hold, and `logging.disable()`, which silences everything, does so here. Error trackers
    and mail get no events: see `is_alarm`.

    Args:
        logger: logger whose name the line has, and whose handlers write it.
        level: level of the line.
        text: message and its `%` arguments.
        fields: fields of the line, beside the bound fields.
        place: source location, for the field `caller`.
        exception: exception of the line; `was_logged` is True of it from then on.

    Returns:
        True when a handler wrote the line.
    """
    if logger.manager.disable >= level:
        return False
    exc_info = (type(exception), exception, exception.__traceback__) if exception else None
    record = logger.makeRecord(
        logger.name,
        level,
        place.path,
        place.line,
        text[0],
        text[1:],
        exc_info,
        place.function,
        fields,
    )
    is_written = handle_record(logger, record)
    if is_written and exception is not None:
        mark_logged(exception)
    return is_written


def handle_record(logger: logging.Logger, record: logging.LogRecord) -> bool:
    """Give a record to the handlers of its logger; return False when none of them wrote it.

    Error trackers get no record, neither as handlers nor where they have replaced
    `Logger.callHandlers`: they would take the line for an error that the application has logged
    and handled. An error of a handler or filter is swallowed: it would replace the exception of
    the task or request.
    """
    found = list(handlers_of(logger)) or [one for one in (logging.lastResort,) if one]
    handlers = [one for one in found if record.levelno >= one.level and not is_alarm(one)]
    lost = _count_lost(handlers)
    try:
        for handler in handlers:
            handler.handle(record)
    except Exception:  # noqa: BLE001 - logging never raises into the application
        return False
    lossy = sum(isinstance(one, StdoutHandler) for one in handlers)
    return len(handlers) > lossy or _count_lost(handlers) - lost < lossy


def handlers_of(logger: logging.Logger) -> Iterator[logging.Handler]:
    """The handlers that a logger's records reach: its own and those of its parents."""
    above: logging.Logger | None = logger
    while above:
        yield from above.handlers
        above = above.parent if above.propagate else None


def _count_lost(handlers: list[logging.Handler]) -> int:
    return sum(sum(one.lost.values()) for one in handlers if isinstance(one, StdoutHandler))


def drop_duplicate_records(
    logger_name: str, is_duplicate: Callable[[logging.LogRecord], bool]
) -> None:
    """Keep records that repeat an event out of the kit's lines; a second call changes nothing.

    Other handlers (mail to admins, a file) and error trackers still get these records.

    Args:
        logger_name: name of a library's logger.
        is_duplicate: returns True for a record that repeats an event; may log the event itself.
    """
    logger = logging.getLogger(logger_name)
    if not any(
        isinstance(one, _DropDuplicates) and one.is_duplicate is is_duplicate
        for one in logger.filters
    ):
        logger.addFilter(_DropDuplicates(logger, is_duplicate))


def repeats_exception(record: logging.LogRecord) -> bool:
    """Return True when the record's exception was logged; for `drop_duplicate_records`."""
    return was_logged(raised_in(record))


def raised_in(record: logging.LogRecord) -> BaseException | None:
    """The exception of a record; None without an exception."""
    info: object = record.exc_info
    # `exc_info` of a foreign record may be of any type: only `logging` makes a tuple of three.
    exception = info[1] if isinstance(info, tuple) and len(info) > 1 else info
    return exception if isinstance(exception, BaseException) else None


class _DropDuplicates(logging.Filter):
    def __init__(
        self, logger: logging.Logger, is_duplicate: Callable[[logging.LogRecord], bool]
    ) -> None:
        super().__init__()
        self._logger = logger
        self.is_duplicate = is_duplicate

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True when the record may go to all handlers."""
        if not self.is_duplicate(record):
            return True
        # Through `Logger.callHandlers`, which error trackers replace by a function of their own.
        others = logging.Logger(self._logger.name)  # noqa: LOG001 - must not be registered
        others.handlers = [one for one in handlers_of(self._logger) if not gets_our_lines(one)]
        # Without any handler the last resort of `logging` would print the record.
        others.addHandler(logging.NullHandler())
        others.callHandlers(record)
        return False
