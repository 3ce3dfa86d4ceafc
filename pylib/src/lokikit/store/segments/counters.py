"""The counts of a store, for `metrics`, and its messages for the operator."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque

from lokikit.notices import Notices

_log = logging.getLogger("lokikit.store")
_MAX_NOTICES = 100


class Counters:
    """Counts of one store since it was opened, and its last notices.

    Attributes:
        notices: messages for the operator, the newest last.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._said = Notices(_log.warning)
        self.notices: deque[str] = deque(maxlen=_MAX_NOTICES)

    def add(self, name: str, amount: int = 1) -> None:
        """Add to a count."""
        with self._lock:
            self._counts[name] += amount

    def notice(self, text: str, kind: str = "") -> None:
        """Keep a sentence for the operator and log it; one of each kind in a minute."""
        if self._said.say(kind or text, text):
            self.notices.append(text)

    def snapshot(self) -> dict[str, int]:
        """All counts so far."""
        with self._lock:
            return dict(self._counts)
