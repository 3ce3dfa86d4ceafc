"""A WSGI application that logs numbered lines: `/7` is line 7 of writer 0, loading is writer 1.

gunicorn tests.programs.web:app
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

from tests.programs.writer import LOGGER, Writing, attach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

attach(Writing(**json.loads(os.environ["WRITING"])))
logging.getLogger(LOGGER).info("line %d %d", 1, 0)


def app(
    environ: Mapping[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Log the line that the path names; answer with the worker's process."""
    logging.getLogger(LOGGER).info("line %d %d", 0, int(environ["PATH_INFO"].strip("/")))
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
