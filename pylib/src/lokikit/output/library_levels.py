"""Which libraries are chatty, and what quiets them outside `dev`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CHATTY = (
    "amqp",
    "apscheduler",
    "asyncio",
    "azure",
    "boto3",
    "botocore",
    "celery.app.trace",
    "celery.beat",
    "celery.worker.strategy",
    "django.db.backends",
    "django.template",
    "django.utils.autoreload",
    "elastic_transport",
    "fontTools",
    "google",
    "hpack",
    "httpcore",
    "httpx",
    "kafka",
    "kombu",
    "matplotlib",
    "multipart",
    "multiprocessing",
    "numba",
    "paramiko",
    "parso",
    "PIL",
    "pymongo",
    "python_multipart",
    "s3transfer",
    "sqlalchemy.engine",
    "urllib3",
    "watchfiles",
    "websockets",
    "werkzeug",
)
"""Loggers whose INFO tells of each call or frame; what they warn of stays."""


def set_levels(env: str | None, given: Iterable[tuple[str, int]]) -> None:
    """Quiet the chatty loggers outside `dev`, and set the levels that were given.

    A chatty logger that has a level of its own already keeps it.
    """
    if env != "dev":
        for name in CHATTY:
            logger = logging.getLogger(name)
            if logger.level == logging.NOTSET:
                logger.setLevel(logging.WARNING)
    for name, level in given:
        logging.getLogger(name).setLevel(level)
