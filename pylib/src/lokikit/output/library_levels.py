"""The levels of loggers of libraries that log much."""

from __future__ import annotations

import logging
from collections.abc import Iterable

FLOODING = (
    "aiosqlite",
    "botocore",
    "chardet",
    "charset_normalizer",
    "django.template",
    "django.utils.autoreload",
    "fontTools",
    "hpack",
    "httpcore",
    "httpcore2",
    "kafka",
    "markdown_it",
    "matplotlib",
    "multipart",
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
CHATTY = (
    "aio_pika",
    "aiogram",
    "aiokafka",
    "aiormq",
    "alembic.runtime.plugins",
    "amqp",
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
    "kombu",
    "LiteLLM",
    "mcp",
    "multiprocessing",
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


def set_levels(env: str | None, levels: Iterable[tuple[str, int]]) -> None:
    """Quiet the chatty loggers outside `dev`, those that flood in `dev` too, and set `levels`.

    In `dev` all of them log from INFO on. A logger with a level of its own keeps it.
    """
    quiet = dict.fromkeys(CHATTY, logging.WARNING)
    for name, level in (dict.fromkeys(FLOODING, logging.INFO) if env == "dev" else quiet).items():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(level)
    for name, level in levels:
        logging.getLogger(name).setLevel(level)
