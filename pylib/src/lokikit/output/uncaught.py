"""What Python would print on stderr by itself, taken into the log: warnings and exceptions."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from typing import TYPE_CHECKING, Any

from lokikit.output.told_once import was_told

if TYPE_CHECKING:
    from types import TracebackType

_logger = logging.getLogger("lokikit.output.uncaught")
_warnings_logger = logging.getLogger("py.warnings")
_python_show_warning = warnings.showwarning
_python_thread_hook = threading.excepthook
_former_hook = sys.excepthook
_former_thread_hook = threading.excepthook


def capture_uncaught() -> None:
    """Log warnings and uncaught exceptions of all threads from now on; twice is once.

    A hook that something else installed before (an error tracker) is still called.
    """
    global _former_hook, _former_thread_hook, _python_show_warning
    if warnings.showwarning is not _log_warning:
        _python_show_warning, warnings.showwarning = warnings.showwarning, _log_warning
    if sys.excepthook is not _log_exception:
        _former_hook, sys.excepthook = sys.excepthook, _log_exception
    if threading.excepthook is not _log_thread_exception:
        _former_thread_hook, threading.excepthook = threading.excepthook, _log_thread_exception


def _log_exception(
    kind: type[BaseException], exception: BaseException, trace: TracebackType | None
) -> None:
    interactive = hasattr(sys, "ps1")
    if interactive or issubclass(kind, KeyboardInterrupt):
        _former_hook(kind, exception, trace)
        return
    _log_where_raised(exception, "uncaught exception", ())
    if _former_hook is not sys.__excepthook__:
        _former_hook(kind, exception, trace)


def _log_thread_exception(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit:
        return
    exception = args.exc_value or args.exc_type()
    name = args.thread.name if args.thread is not None else "unknown"
    _log_where_raised(exception, "uncaught exception in thread %s", (name,))
    if _former_thread_hook is not _python_thread_hook:
        _former_thread_hook(args)


def _log_where_raised(exception: BaseException, message: str, args: tuple[str, ...]) -> None:
    """Log an exception with the frame that raised it as its caller, unless a line has it."""
    if was_told(exception):
        return
    frames = list(traceback.walk_tb(exception.__traceback__))
    code, line = (frames[-1][0].f_code, frames[-1][1]) if frames else (_log_exception.__code__, 0)
    if _logger.isEnabledFor(logging.CRITICAL):
        record = _logger.makeRecord(
            _logger.name,
            logging.CRITICAL,
            code.co_filename,
            line,
            message,
            args,
            (type(exception), exception, exception.__traceback__),
            code.co_name,
        )
        _logger.handle(record)


def _log_warning(  # noqa: PLR0913, PLR0917 - the signature of warnings.showwarning
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    if file is not None:
        _python_show_warning(message, category, filename, lineno, file, line)
    elif _warnings_logger.isEnabledFor(logging.WARNING):
        record = _warnings_logger.makeRecord(
            _warnings_logger.name,
            logging.WARNING,
            filename,
            lineno,
            "%s: %s",
            (category.__name__, message),
            None,
        )
        _warnings_logger.handle(record)
