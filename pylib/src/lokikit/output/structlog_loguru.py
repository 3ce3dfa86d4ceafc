"""structlog and loguru: their messages become lines of the kit."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from types import FrameType
from typing import Any

from lokikit.output.event_log import handle_record, handlers_of
from lokikit.output.log_record import install_records
from lokikit.output.stdout_handler import gets_our_lines


def take_in_structlog() -> None:
    """Configure structlog: its events become lines, its bound values and arguments fields.

    Levels are those of the `logging` module. Call it beside `setup_json_logging`. No argument of
    a log call raises: a message that `%` cannot format stays as it is.
    """
    import structlog  # noqa: PLC0415 - of the application, which may have none

    from lokikit.output.structlog_logger import (  # noqa: PLC0415 - it imports structlog
        StructlogLogger,
        drop_below_level,
        write_record,
    )

    install_records()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, drop_below_level, write_record],
        wrapper_class=StructlogLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def take_in_loguru() -> None:
    """Replace loguru's handlers: its messages become lines, bound values and extras become fields.

    Levels are those of the `logging` module. Call it beside `setup_json_logging`.
    """
    from loguru import logger  # noqa: PLC0415 - of the application, which may have none

    logger.remove()
    logger.add(_write_loguru, format="{message}", level=0, filter=_has_no_line)


_HANDLING = (logging.Logger.callHandlers.__code__, handle_record.__code__)
"""Code of the method that handles records, which error trackers replace, and of the kit's own."""
_writing: ContextVar[str | None] = ContextVar("lokikit_loguru_message", default=None)
"""Message of loguru that this context writes to the standard library's handlers."""


def _has_no_line(entry: Any) -> bool:
    """Return True for a message of loguru that does not come from a line of the kit.

    The `InterceptHandler` of loguru's documentation passes records to loguru: without this check
    each line would return.
    """
    message: str = entry["message"]
    return message != _writing.get() and not _is_intercepted(message, sys._getframe(1))  # noqa: SLF001 - the only way to it


def _is_intercepted(message: str, frame: FrameType | None) -> bool:
    """Return True while the standard library handles a record of this message that we write."""
    while frame is not None:
        if frame.f_code in _HANDLING:
            known = frame.f_locals
            record, logger = known.get("record"), known.get("self", known.get("logger"))
            if isinstance(record, logging.LogRecord) and isinstance(logger, logging.Logger):
                return _message(record) == message and _reaches_us(logger, record)
        frame = frame.f_back
    return False


def _message(record: logging.LogRecord) -> str | None:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - wrong arguments
        return None


def _reaches_us(logger: logging.Logger, record: logging.LogRecord) -> bool:
    # By its name, because dropped duplicates go through another logger object.
    handlers = {*handlers_of(logger), *handlers_of(logging.getLogger(logger.name))}
    return any(record.levelno >= handler.level for handler in filter(gets_our_lines, handlers))


def _write_loguru(message: Any) -> None:
    token = _writing.set(message.record["message"])
    try:
        _hand_over(message.record)
    finally:
        _writing.reset(token)


def _hand_over(entry: Any) -> None:
    logger = logging.getLogger(entry["name"])
    level, error = entry["level"].no, entry["exception"]
    if not logger.isEnabledFor(level):
        return
    record = logger.makeRecord(
        logger.name,
        level,
        entry["file"].path,
        entry["line"],
        entry["message"],
        (),
        (error.type, error.value, error.traceback) if error else None,
        entry["function"],
        entry["extra"],
    )
    record.created = entry["time"].timestamp()
    record.levelname = entry["level"].name
    logger.handle(record)
