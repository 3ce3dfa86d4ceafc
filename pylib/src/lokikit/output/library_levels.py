"""The levels of loggers of libraries that log much."""

from __future__ import annotations

import logging
from collections.abc import Iterable

FLOODING = (
    "aiosqlite",
    "amqp",
    "botocore",
    "celery.bootsteps",
    "celery.pool",
    "celery.utils.functional",
    "chardet",
    "charset_normalizer",
    "django.template",
    "django.utils.autoreload",
    "fontTools",
    "hpack",
    "httpcore",
    "httpcore2",
    "kafka",
    "kombu",
    "markdown_it",
    "matplotlib",
    "multipart",
    "multiprocessing",
    "numba",
    "parso",
    "pdfminer",
    "PIL",
    "pymongo",
    "python_multipart",
    "s3transfer",
    "watchfiles",
    "websockets",
)
"""Loggers that log each file, frame, byte or step at DEBUG."""
TICKING = ("celery.worker",)
"""Loggers that log each second at DEBUG, and at INFO what matters."""
CHATTY = (
    "aio_pika",
    "aiogram",
    "aiokafka",
    "aiormq",
    "alembic.runtime.plugins",
    "apscheduler",
    "asyncio",
    "asyncssh",
    "asyncua",
    "azure",
    "boto3",
    "cassandra",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
    "cmdstanpy",
    "django.db.backends",
    "elastic_transport",
    "elasticsearch",
    "google",
    "gql.transport",
    "httpx",
    "httpx2",
    "LiteLLM",
    "mcp",
    "neo4j",
    "opensearch",
    "opensearchpy",
    "paramiko",
    "pika",
    "py4j",
    "pyhive",
    "seleniumwire",
    "smbprotocol",
    "snowflake",
    "sqlalchemy.engine",
    "stripe",
    "twilio",
    "urllib3",
    "weasyprint",
    "werkzeug",
    *FLOODING,
)
"""Loggers that log each call at INFO or DEBUG; their warnings stay."""


_set: dict[str, int] = {}
"""Logger -> the level that an earlier set-up gave it."""


def set_levels(env: str | None, threshold: int, levels: Iterable[tuple[str, int]]) -> None:
    """Quiet the chatty loggers outside `dev`, those that flood in `dev` too, and set `levels`.

    In `dev` all of them log from INFO on. A logger with a level of its own keeps it.

    Args:
        env: environment of the service.
        threshold: level of the root logger, below which no logger is set.
        levels: levels of single loggers.
    """
    calm = dict.fromkeys((*FLOODING, *TICKING), logging.INFO)
    quiet = {**dict.fromkeys(TICKING, logging.INFO), **dict.fromkeys(CHATTY, logging.WARNING)}
    for name, level in (calm if env == "dev" else quiet).items():
        logger = logging.getLogger(name)
        if logger.level in {logging.NOTSET, _set.get(name)}:
            _set[name] = max(level, threshold)
            logger.setLevel(_set[name])
    for name, level in levels:
        logging.getLogger(name).setLevel(level)
