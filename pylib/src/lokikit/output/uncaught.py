"""Warnings and uncaught exceptions, which Python would print on stderr, as lines of the log."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from lokikit.output.event_log import handle_record
from lokikit.output.logged_exceptions import was_logged

_logger = logging.getLogger("lokikit.output.uncaught")
_warnings_logger = logging.getLogger("py.warnings")
_logging = threading.local()
"""The exception that a hook of this thread is logging, as its `exception`."""


def capture_uncaught() -> None:
    """Log warnings and uncaught exceptions of all threads from now on; calling twice is harmless.

    A hook that something else installed before (an error tracker) is still called. A hook that
    was installed since the last call calls our former hook; that leaves the exception to our new
    hook.
    """
    if not isinstance(warnings.showwarning, _ShowWarning):
        warnings.showwarning = _ShowWarning(warnings.showwarning)
    # `logging.captureWarnings` keeps the former function there.
    if not isinstance(logging._showwarning, _ShowWarning):  # type: ignore[attr-defined] # noqa: SLF001 - logging has no public name for it
        logging._showwarning = _ShowWarning(logging._showwarning)  # type: ignore[attr-defined] # noqa: SLF001 - logging has no public name for it
    if not isinstance(sys.unraisablehook, _UnraisableHook):
        sys.unraisablehook = _UnraisableHook(sys.unraisablehook)
    if not isinstance(sys.excepthook, _ExceptionHook):
        sys.excepthook = _ExceptionHook(sys.excepthook)
    if not isinstance(threading.excepthook, _ThreadHook):
        threading.excepthook = _ThreadHook(threading.excepthook)


class _Hook:
    """A hook that keeps the hook before it."""

    def __init__(self, former: Callable[..., Any]) -> None:
        self._former = former


class _ExceptionHook(_Hook):
    """A `sys.excepthook` that calls the former hook too."""

    def __call__(
        self, kind: type[BaseException], exception: BaseException, trace: TracebackType | None
    ) -> None:
        interactive = hasattr(sys, "ps1")
        if interactive or issubclass(kind, KeyboardInterrupt):
            self._former(kind, exception, trace)
            return
        with _once(exception) as logs:
            if logs and not _log_where_raised(exception, "uncaught exception", ()):
                sys.__excepthook__(kind, exception, trace)
            if self._former is not sys.__excepthook__:
                self._former(kind, exception, trace)


class _ThreadHook(_Hook):
    """A `threading.excepthook` that calls the former hook too."""

    def __call__(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_type is SystemExit:
            return
        exception = args.exc_value or args.exc_type()
        name = args.thread.name if args.thread is not None else "unknown"
        with _once(exception) as logs:
            if logs and not _log_where_raised(
                exception, "uncaught exception in thread %s", (name,)
            ):
                threading.__excepthook__(args)
            if self._former is not threading.__excepthook__:
                self._former(args)


class _UnraisableHook(_Hook):
    """A `sys.unraisablehook` that calls the former hook too.

    Exceptions of `__del__` and of callbacks of weak references, for example, have no caller.
    """

    def __call__(self, args: sys.UnraisableHookArgs) -> None:
        exception = args.exc_value or args.exc_type()
        words = args.err_msg or "Exception ignored in"
        text = words if args.object is None else f"{words}: {_represent(args.object)}"
        with _once(exception) as logs:
            if logs and not _log_where_raised(exception, "%s", (text,), logging.ERROR):
                sys.__unraisablehook__(args)
            if self._former is not sys.__unraisablehook__:
                self._former(args)


class _ShowWarning(_Hook):
    """A `warnings.showwarning` that logs; the former function still writes to files."""

    def __call__(  # noqa: PLR0913, PLR0917 - the signature of warnings.showwarning
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: Any = None,
        line: str | None = None,
    ) -> None:
        if file is not None:
            self._former(message, category, filename, lineno, file, line)
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


def _represent(value: object) -> str:
    """Return the `repr` of a value, or its class when that raises."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a half destroyed object may do anything
        return f"<{type(value).__name__}>"


@contextmanager
def _once(exception: BaseException) -> Iterator[bool]:
    """Yield True, or False within the block of another hook of ours for the same exception."""
    outer = getattr(_logging, "exception", None)
    _logging.exception = exception
    try:
        yield outer is not exception
    finally:
        _logging.exception = outer


def _log_where_raised(
    exception: BaseException, message: str, args: tuple[str, ...], level: int = logging.CRITICAL
) -> bool:
    """Log an exception, with the frame that raised it as its caller, unless a line has it.

    Returns:
        True when the log has a line of it now.
    """
    if was_logged(exception):
        return True
    if _logger.manager.disable >= level:
        return False
    try:
        record = _make_record(exception, message, args, level)
        # Past the levels, and past a `dictConfig` that disables the loggers it does not name.
        return bool(_logger.filter(record)) and handle_record(_logger, record)
    except Exception:  # noqa: BLE001 - Python's own hook prints the exception then
        return False


def _make_record(
    exception: BaseException, message: str, args: tuple[str, ...], level: int
) -> logging.LogRecord:
    frames = list(traceback.walk_tb(exception.__traceback__))
    code, line = (frames[-1][0].f_code, frames[-1][1]) if frames else (_make_record.__code__, 0)
    return _logger.makeRecord(
        _logger.name,
        level,
        code.co_filename,
        line,
        message,
        args,
        (type(exception), exception, exception.__traceback__),
        code.co_name,
    )
