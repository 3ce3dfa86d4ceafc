"""Flushing at the end of a process that nobody else sees to."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import Any


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


def _flush_and_end(number: int, frame: Any) -> None:  # noqa: ARG001 - what signal handlers get
    logging.shutdown()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
