"""structlog and loguru: what they log ends in the contract."""

from __future__ import annotations

import logging
from typing import Any

from lokikit.output.log_record import install_records


def take_in_structlog() -> None:
    """Configure structlog: its events become lines, its bound values and arguments fields.

    Levels are those of the `logging` module. Call it beside `setup_json_logging`. No argument of
    a log call raises: what `%` cannot format stands in the message as it is.
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
    """Replace loguru's handlers: its messages become lines, what is bound or given fields.

    Levels are those of the `logging` module. Call it beside `setup_json_logging`.
    """
    from loguru import logger  # noqa: PLC0415 - of the application, which may have none

    logger.remove()
    logger.add(_write_loguru, format="{message}", level=0)


def _write_loguru(message: Any) -> None:
    told = message.record
    logger = logging.getLogger(told["name"])
    level, error = told["level"].no, told["exception"]
    if not logger.isEnabledFor(level):
        return
    record = logger.makeRecord(
        logger.name,
        level,
        told["file"].path,
        told["line"],
        "%s",
        (told["message"],),
        (error.type, error.value, error.traceback) if error else None,
        told["function"],
        told["extra"],
    )
    record.created = told["time"].timestamp()
    logger.handle(record)
