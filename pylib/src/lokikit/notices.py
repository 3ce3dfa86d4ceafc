"""Messages of long-running commands on stderr, each kind at most once a minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

EVERY_S = 60.0


def to_stderr(text: str) -> None:
    """Print a line; a stderr that is closed, missing or broken is ignored."""
    if sys.stderr is None:  # `print` would write to stdout, among the lines of the contract
        return
    try:
        print(f"lokikit: {text}", file=sys.stderr, flush=True)  # noqa: T201 - the notice itself
    except Exception:  # noqa: BLE001 - an application may replace stderr by any object
        return


class Notices:
    """Prints each kind of message at most once in `EVERY_S`."""

    def __init__(
        self,
        write: Callable[[str], None] = to_stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._clock = clock
        self._said_s: dict[str, float] = {}

    def say(self, kind: str, text: str) -> bool:
        """Print `text`, unless this `kind` was printed lately; return True when it is printed."""
        now_s = self._clock()
        last_s = self._said_s.get(kind)
        if last_s is not None and now_s - last_s < EVERY_S:
            return False
        self._said_s[kind] = now_s
        self._write(text)
        return True
