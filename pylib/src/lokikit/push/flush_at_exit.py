"""Flushing at the end of a process that does not run `logging.shutdown`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from functools import partial
from typing import Any

from lokikit.push.exit_time import CLOSE_S

_AFTER_ALL_OTHERS = -100
_SIGNALLED = 128
"""Number that is added to a signal for the exit code of a process that it ended."""


def flush_on_sigterm(longest_s: float = CLOSE_S + 1) -> None:
    """Flush the log handlers on SIGTERM before the process ends, as `exit` does.

    Only where the signal has its default action, which ends a process at once; servers and workers
    that handle it are left alone. The process still ends by the signal; PID 1, which signals do not
    end, exits with the code of a process that a signal ended.

    Args:
        longest_s: seconds after which the process ends although a handler is not done, for example
            the handler of a stream that is no longer read.
    """
    if threading.current_thread() is threading.main_thread():
        handled = signal.getsignal(signal.SIGTERM)
        if handled is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, partial(_flush_and_end, longest_s))


def flush_at_end_of_child() -> None:
    """Flush the log handlers when a worker of `multiprocessing` or Celery's `billiard` ends.

    These leave by `os._exit`, without the functions of `atexit`, but run their own finalizers.
    Call it in the child, once it runs: they forget the functions that the parent registered.
    """
    for name in ("multiprocessing", "billiard"):
        util = sys.modules.get(f"{name}.util")
        process = sys.modules.get(f"{name}.process")
        if util is None or process is None:
            continue
        if type(process.current_process()).__name__ != "_MainProcess":
            util.Finalize(None, logging.shutdown, exitpriority=_AFTER_ALL_OTHERS)
    # Celery's pool leaves without the finalizers of `billiard` too.
    if celery := sys.modules.get("celery.signals"):
        celery.worker_process_shutdown.connect(_flush_on_signal, weak=False)


def _flush_on_signal(**_: Any) -> None:
    logging.shutdown()


def _flush_and_end(longest_s: float, number: int, _frame: Any) -> None:
    signal.signal(number, signal.SIG_DFL)
    # In this thread, because an interrupted handler holds locks that only its thread can enter.
    watch = threading.Timer(longest_s, _end, [number])
    watch.daemon = True
    watch.start()
    try:
        logging.shutdown()
    finally:
        _end(number)


def _end(number: int) -> None:
    os.kill(os.getpid(), number)
    # The signal ends every process but PID 1, unless it is blocked.
    os._exit(_SIGNALLED + number)
