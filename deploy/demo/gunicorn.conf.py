"""Gunicorn's settings for the shop: four workers that share one stdout."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

from environment import read_demo, start_logging


def on_starting(server: Any) -> None:
    """Give the workers one database, unless the environment names it."""
    if not read_demo().database:
        server.demo_folder = tempfile.mkdtemp(prefix="lokikit-shop-")
        os.environ["DEMO_DATABASE"] = f"{server.demo_folder}/shop.sqlite3"


def on_exit(server: Any) -> None:
    """Remove the database that `on_starting` made."""
    if folder := getattr(server, "demo_folder", None):
        shutil.rmtree(folder, ignore_errors=True)


start_logging("shop")
bind = f"{read_demo().host}:{read_demo().port}"
workers = 4
threads = 4
logger_class = "lokikit.gunicorn.Logger"
# Its thread would be alive at each fork, and the demo has no use for it.
control_socket_disable = True
graceful_timeout = 10
