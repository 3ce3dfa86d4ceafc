"""What a long-running command says on stderr: everything once, nothing in a flood."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_S = 60.0


def to_stderr(text: str) -> None:
    """Print one line; a stderr that is closed, missing or broken is nobody's problem."""
    if sys.stderr is None:  # `print` would take stdout then, where lines of the contract stand
        return
    try:
        print(f"lokikit: {text}", file=sys.stderr, flush=True)  # noqa: T201 - the notice itself
    except Exception:  # noqa: BLE001 - an application may put anything in its place
        return


class Notices:
    """Says each kind of thing at most once in `EVERY_S`.

    Args:
        write: takes one line.
        clock: seconds of a clock that never steps back.
    """

    def __init__(
        self,
        write: Callable[[str], None] = to_stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._clock = clock
        self._said_s: dict[str, float] = {}

    def say(self, kind: str, text: str) -> bool:
        """Say `text`, unless something of this `kind` was said just now; whether it was said."""
        now_s = self._clock()
        last_s = self._said_s.get(kind)
        if last_s is not None and now_s - last_s < EVERY_S:
            return False
        self._said_s[kind] = now_s
        self._write(text)
        return True
