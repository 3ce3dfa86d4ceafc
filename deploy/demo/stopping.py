"""A wish to stop, from SIGTERM or SIGINT, that any wait can include."""

from __future__ import annotations

import os
import select
import signal


class Stop:
    """Readable, like a file, once the process was asked to stop.

    A pipe rather than an Event: its write is safe inside a signal handler, and
    `multiprocessing.connection.wait` takes it beside other things to wait for.
    """

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()

    def on_signals(self) -> Stop:
        """Listen to SIGTERM and SIGINT from here on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.set())
        return self

    def set(self) -> None:
        """Ask to stop."""
        os.write(self._write_end, b".")

    def wait(self, timeout_s: float) -> bool:
        """Whether to stop, known at once or after `timeout_s`."""
        return bool(select.select([self], [], [], timeout_s)[0])

    def fileno(self) -> int:
        """The end of the pipe to wait on."""
        return self._read_end
