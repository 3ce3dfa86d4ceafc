"""Flushing at the end of a process that nobody else sees to."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import Any

_AFTER_ALL_OTHERS = -100


def flush_on_sigterm() -> None:
    """Have SIGTERM flush the log handlers before it ends the process, as `exit` does.

    Only where the signal has its default action, which ends a process in the middle of whatever
    it does; servers and workers that handle it themselves are left alone. The process still
    ends by the signal.
    """
    if threading.current_thread() is threading.main_thread():
        handled = signal.getsignal(signal.SIGTERM)
        if handled is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _flush_and_end)


def flush_at_end_of_child() -> None:
    """Flush the log handlers when a worker of `multiprocessing` or Celery's `billiard` ends.

    These leave by `os._exit`, past everything that `atexit` holds, but run their own finalizers.
    To be called in the child, once it runs: they forget what the parent registered.
    """
    for name in ("multiprocessing", "billiard"):
        util = sys.modules.get(f"{name}.util")
        process = sys.modules.get(f"{name}.process")
        if util is None or process is None:
            continue
        if type(process.current_process()).__name__ != "_MainProcess":
            util.Finalize(None, logging.shutdown, exitpriority=_AFTER_ALL_OTHERS)
    # Celery's pool leaves past the finalizers of `billiard` too.
    if celery := sys.modules.get("celery.signals"):
        celery.worker_process_shutdown.connect(_flush_on_signal, weak=False)


def _flush_on_signal(**_: Any) -> None:
    logging.shutdown()


def _flush_and_end(number: int, frame: Any) -> None:  # noqa: ARG001 - what signal handlers get
    logging.shutdown()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
