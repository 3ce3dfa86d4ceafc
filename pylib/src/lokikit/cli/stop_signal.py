"""SIGTERM and Ctrl-C as a flag that a loop reads between two steps."""

from __future__ import annotations

import signal
import time

_SLICE_S = 0.2


class StopSignal:
    """Handles SIGTERM and Ctrl-C from its creation on.

    Attributes:
        asked: True after a signal.
    """

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask)

    def ask(self, *_: object) -> None:
        """Request the stop; the handler of both signals."""
        self.asked = True

    def sleep(self, wait_s: float) -> None:
        """Wait for `wait_s` seconds, or until a signal."""
        end_s = time.monotonic() + wait_s
        while not self.asked and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _SLICE_S))
