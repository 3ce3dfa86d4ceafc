"""The jobs behind the shop; some of them fail, take too long, or take their process along."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import time
from collections.abc import Callable
from decimal import Decimal

import lokikit

Task = Callable[[], None]

_log = logging.getLogger("jobs.tasks")


def update_prices() -> None:
    """Succeeds."""
    changed = random.randint(1, 8)
    _log.info("prices updated", extra={"changed": changed, "factor": Decimal("1.02")})


def build_sitemap() -> None:
    """Succeeds, after a moment."""
    time.sleep(random.uniform(0.05, 0.3))


def purge_carts() -> None:
    """Finds nothing to do."""
    raise lokikit.TaskInaction("every cart is in use")


def send_newsletter() -> None:
    """Fails: the mail server is away."""
    raise ConnectionResetError(104, "Connection reset by peer", "smtp.example:587")


def import_supplier_list() -> None:
    """Fails: the supplier's file is cut off."""
    try:
        json.loads('{"supplier": "Yokohama Tea", "articles": [')
    except json.JSONDecodeError as error:
        raise ValueError("the list of Yokohama Tea cannot be read") from error


def resize_photos() -> None:
    """Overruns: far slower than any task may be."""
    _log.info("resizing", extra={"photos": 1840})
    time.sleep(30)


def render_invoices() -> None:
    """Crashes: killed from outside, like by the kernel when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def sync_stock() -> None:
    """Crashes: a native library ends the process behind Python's back."""
    os._exit(70)


ROUND: tuple[Task, ...] = (
    *[update_prices, build_sitemap] * 4,
    purge_carts,
    send_newsletter,
    import_supplier_list,
    resize_photos,
    render_invoices,
    sync_stock,
)
"""Each task at least once, the successful ones more often."""
