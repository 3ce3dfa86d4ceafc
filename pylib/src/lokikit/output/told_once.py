"""Request lines and task actions: told whatever the levels say, and each exception once."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from lokikit.output.stdout_handler import gets_our_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TOLD = "_lokikit_told"


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
) -> None:
    """Log a line past the levels of `logger` and its parents, and past its being disabled.

    A library that sets the root logger to WARNING, or a `dictConfig` that disables the loggers
    it does not name, silences messages; what happened is still told. Levels and filters of
    handlers hold, and `logging.disable()`, which silences everything, does so here.

    Args:
        logger: names the line, and its handlers get it.
        level: of the line.
        text: the message and its `%` arguments.
        fields: of the line, beside what is bound.
        place: becomes `caller`.
        exception: is in the line, and counts as told.
    """
    if logger.manager.disable >= level:
        return
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
    if exception is not None:
        mark_told(exception)
    # A filter that raises would take the place of what a task or request has raised itself.
    with suppress(Exception):
        logger.callHandlers(record)


def mark_told(exception: BaseException) -> None:
    """Have `was_told` say yes of this exception, wherever it is raised on to."""
    try:
        setattr(exception, _TOLD, True)
    except AttributeError:  # it has slots: then it is told twice
        return


def was_told(exception: object) -> bool:
    """Whether a request line or task action has this exception already."""
    return getattr(exception, _TOLD, False) is True


def leave_out(logger_name: str, is_told: Callable[[logging.LogRecord], bool]) -> None:
    """Keep records that repeat what is told out of our lines; twice is once.

    Handlers that are not ours (mail to admins, an error tracker) still get them.

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
    return record.exc_info[1] if record.exc_info else None


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
        logger: logging.Logger | None = self._logger
        while logger:
            for handler in logger.handlers:
                if not gets_our_lines(handler) and record.levelno >= handler.level:
                    handler.handle(record)
            logger = logger.parent if logger.propagate else None
        return False
