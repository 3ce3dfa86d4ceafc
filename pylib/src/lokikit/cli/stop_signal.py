"""SIGTERM and Ctrl-C as a wish that a loop looks at between two steps."""

from __future__ import annotations

import signal
import time

_SLICE_S = 0.2


class StopSignal:
    """A wish to stop, that a wait ends soon after; made, it takes both signals."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask)

    def ask(self, *_: object) -> None:
        """Stop; called by the signals."""
        self.asked = True

    def sleep(self, wait_s: float) -> None:
        """Wait for `wait_s`, or until it is asked."""
        end_s = time.monotonic() + wait_s
        while not self.asked and (left_s := end_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _SLICE_S))
