"""`StdoutHandler`: whole lines on a stream, whoever else writes to it."""

from __future__ import annotations

import logging
import os
import select
import stat
import sys
import weakref
from collections import Counter
from collections.abc import Callable
from typing import IO, Any

from lokikit.output.streams import plain_descriptor, write_line

try:
    import fcntl
except ImportError:  # Windows: lines of several processes may mix
    _HAS_RECORD_LOCKS = False
else:
    _HAS_RECORD_LOCKS = True


class StdoutHandler(logging.Handler):
    """Writes each record as one whole line, and never raises into the caller.

    Forked workers that share one pipe take a record lock (`fcntl.lockf`) on it around each
    line, so that lines beyond `PIPE_BUF` stay whole. A reader that stops stalls the writers,
    as it does with plain logging; so does a process that is stopped (SIGSTOP) within a line.

    Args:
        stream: where to write; by default `sys.stdout` as it is now.
    """

    def __init__(self, stream: IO[Any] | None = None) -> None:
        super().__init__()
        if self.lock is not None:
            self._handler_lock: Any = self.lock
        self.lost: Counter[str] = Counter()
        """Lines that could not be written, by the reason (`BrokenPipeError`, …)."""
        self.stream = sys.stdout if stream is None else stream
        self._render: Callable[[logging.LogRecord], bytes] = self._encode
        self._torn = False
        self._writing = False
        self._waiting: list[bytes] = []
        _handlers.add(self)

    @property
    def stream(self) -> IO[Any] | None:
        """Where to write; of plain files and pipes the descriptor is written to."""
        return self._stream

    @stream.setter
    def stream(self, stream: IO[Any] | None) -> None:
        self._stream = stream
        self._fd = plain_descriptor(stream)
        self._locks = self._fd is not None and _HAS_RECORD_LOCKS and _is_shared(self._fd)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 - stdlib's name
        """Use a formatter; where it has a method `render`, its bytes are written as is."""
        super().setFormatter(fmt)
        self._render = getattr(fmt, "render", self._encode)

    def _encode(self, record: logging.LogRecord) -> bytes:
        return self.format(record).encode("utf-8", "replace")

    def handle(self, record: logging.LogRecord) -> Any:
        """Filter and write a record; the stdlib's, less the calls that do nothing here."""
        if self.filters:
            return super().handle(record)
        with self._handler_lock:
            self.emit(record)
        return record

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record's line, or count it in `lost` when it cannot be written."""
        try:
            line = self._render(record) + b"\n"
        except Exception as error:  # noqa: BLE001 - logging never raises into the application
            self.lost[type(error).__name__] += 1
            return
        if self._writing:
            # A signal handler or finaliser logs while a line is being written.
            self._waiting.append(line)
            return
        self._writing = True
        try:
            self._write(line)
            while self._waiting:
                self._write(self._waiting.pop(0))
        finally:
            self._writing = False

    def _write(self, line: bytes) -> None:
        stream, fd = self._stream, self._fd
        is_locked = False
        try:
            if stream is None or fd is None:
                write_line(stream, line)
                return
            is_locked = self._locks and _lock(fd)
            try:
                # What others have printed stands in the stream's buffer, which the line passes by.
                # A closed stream raises: its descriptor may be that of another file by now.
                stream.flush()
            except (BlockingIOError, RuntimeError):
                _flush(stream, fd)
            if self._torn:
                line = b"\n" + line
            while line:
                try:
                    written = os.write(fd, line)
                except BlockingIOError:
                    _wait_until_writable(fd)
                    continue
                line = line[written:]
                self._torn = bool(line)
        except Exception as error:  # noqa: BLE001 - logging never raises into the application
            self.lost[type(error).__name__] += 1
        finally:
            if is_locked:
                fcntl.lockf(fd, fcntl.LOCK_UN)  # type: ignore[arg-type]  # locked by number

    def reset_after_fork(self) -> None:
        """Forget a line that another thread of the parent was in the middle of."""
        self._writing = False
        self._waiting = []
        self._torn = False


_handlers: weakref.WeakSet[StdoutHandler] = weakref.WeakSet()


def _reset_after_fork() -> None:
    for handler in list(_handlers):
        handler.reset_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)


def is_ours(handler: logging.Handler) -> bool:
    """True when `setup_json_logging` made the handler, or put it in place of a console handler."""
    return (
        isinstance(handler, StdoutHandler)
        or getattr(handler, "made_by_setup", False)
        or getattr(handler, "relays_to_ours", False)
    )


def gets_our_lines(handler: logging.Handler) -> bool:
    """Return True for a handler of the kit, and for a test's capture of its lines."""
    return is_ours(handler) or getattr(handler, "captures_our_lines", False)


def file_descriptor(stream: IO[Any] | None) -> int | None:
    """The descriptor behind a stream, `None` when it has none or is closed."""
    try:
        return stream.fileno() if stream is not None else None
    except (AttributeError, OSError, ValueError):
        return None


def _flush(stream: IO[Any], fd: int) -> None:
    """Write what others have printed to the stream, before a line is written past its buffer.

    Raises:
        ValueError: the stream is closed; its descriptor may be that of another file by now.
    """
    while True:
        try:
            stream.flush()
        except BlockingIOError:  # a pipe that does not block has no room
            _wait_until_writable(fd)
            continue
        except RuntimeError:  # a signal handler logs while the stream is being written to
            pass
        return


def _is_shared(fd: int) -> bool:
    """Return True when writers may mix lines there: files append whole, devices have no lines."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _lock(fd: int) -> bool:
    """Wait for the lock; `False` where the file is of a kind that has none."""
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


def _wait_until_writable(fd: int) -> None:
    """Wait for room in a pipe that somebody made non-blocking."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll()
