"""Request lines and task actions: told whatever the levels say, and each exception once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from lokikit.output.alarm_handlers import is_alarm
from lokikit.output.stdout_handler import StdoutHandler, gets_our_lines
from lokikit.output.told_exceptions import mark_told, was_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Place(NamedTuple):
    """Where in the code a line comes from: path, number of the line, function."""

    path: str
    line: int
    function: str


def tell(  # noqa: PLR0913 - what a record is made of
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
    it does not name, silences messages; what happened is still told. Levels and filters of
    handlers hold, and `logging.disable()`, which silences everything, does so here. Error trackers
    and mail get none of it: see `is_alarm`.

    Args:
        logger: names the line, and its handlers get it.
        level: of the line.
        text: the message and its `%` arguments.
        fields: of the line, beside what is bound.
        place: becomes `caller`.
        exception: is in the line, and counts as told.

    Returns:
        Whether a handler wrote it.
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
    is_written = hand_over(logger, record)
    if is_written and exception is not None:
        mark_told(exception)
    return is_written


def hand_over(logger: logging.Logger, record: logging.LogRecord) -> bool:
    """Give a record to the handlers of its logger; return False when none of them wrote it.

    An error tracker is passed by, whether it is a handler or has replaced `Logger.callHandlers`:
    it would take the line for an error that the application has logged and handled. A filter that
    raises, say, would take the place of what a task or request has raised itself.
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
    """The handlers that a logger's records reach, its own and those above."""
    above: logging.Logger | None = logger
    while above:
        yield from above.handlers
        above = above.parent if above.propagate else None


def _count_lost(handlers: list[logging.Handler]) -> int:
    return sum(sum(one.lost.values()) for one in handlers if isinstance(one, StdoutHandler))


def leave_out(logger_name: str, is_told: Callable[[logging.LogRecord], bool]) -> None:
    """Keep records that repeat what is told out of our lines; twice is once.

    Handlers that are not ours (mail to admins, a file) and error trackers still get them.

    Args:
        logger_name: the logger of a library.
        is_told: tells which of its records these are.
    """
    logger = logging.getLogger(logger_name)
    if not any(isinstance(one, _LeaveOut) and one.is_told is is_told for one in logger.filters):
        logger.addFilter(_LeaveOut(logger, is_told))


def repeats_exception(record: logging.LogRecord) -> bool:
    """Whether the record's exception was told; for `leave_out`."""
    return was_told(raised_in(record))


def raised_in(record: logging.LogRecord) -> BaseException | None:
    """The exception of a record that has one."""
    info: object = record.exc_info
    # Whatever a caller gave: only `logging` itself makes a tuple of three of it.
    exception = info[1] if isinstance(info, tuple) and len(info) > 1 else info
    return exception if isinstance(exception, BaseException) else None


class _LeaveOut(logging.Filter):
    def __init__(
        self, logger: logging.Logger, is_told: Callable[[logging.LogRecord], bool]
    ) -> None:
        super().__init__()
        self._logger = logger
        self.is_told = is_told

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it may go to all handlers."""
        if not self.is_told(record):
            return True
        # By the method of a logger, into whose place error trackers put theirs.
        others = logging.Logger(self._logger.name)  # noqa: LOG001 - nobody may find it
        others.handlers = [one for one in handlers_of(self._logger) if not gets_our_lines(one)]
        # Without any the last resort of `logging` would print the record.
        others.addHandler(logging.NullHandler())
        others.callHandlers(record)
        return False
