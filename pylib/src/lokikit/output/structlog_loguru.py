"""structlog and loguru: what they log ends in the contract."""

from __future__ import annotations

import logging
from typing import Any


def take_in_structlog() -> None:
    """Configure structlog: its events become lines, its bound values and arguments fields.

    Levels are those of the `logging` module. Call it beside `setup_json_logging`.
    """
    import structlog  # noqa: PLC0415 - of the application, which may have none

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.render_to_log_kwargs,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
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
