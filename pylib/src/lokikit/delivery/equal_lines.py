"""Times for equal lines of one stream, of which Loki would store one per timestamp.

fluentbit/contract.lua does the same for the agent.
"""

from __future__ import annotations

from collections.abc import Mapping

from lokikit.times import NS_PER_MS, NS_PER_S, NS_PER_US

MAX_SENT = 10_000
"""At least this many lines may come between two equal lines."""


def open_ns(stamp_ns: int) -> int:
    """Return how many nanoseconds a stamp leaves open: 1 for a stamp with nanoseconds."""
    for unit_ns in (NS_PER_S, NS_PER_MS, NS_PER_US):
        if stamp_ns % unit_ns == 0:
            return unit_ns
    return 1


class EqualLines:
    """Remembers the lines that a carrier has sent lately, from all its sources.

    Args:
        max_sent: number of lines to remember; twice as many are held before the older half goes.
    """

    def __init__(self, max_sent: int = MAX_SENT) -> None:
        self._max_sent = max_sent
        self._sent: dict[int, int] = {}
        self._before: dict[int, int] = {}

    def next_free(self, stamp_ns: int, room_ns: int, labels: Mapping[str, str], line: str) -> int:
        """Return the first of `room_ns` nanoseconds from `stamp_ns` on that no equal line has."""
        stream = tuple(labels.values())
        free_ns = stamp_ns
        first = key = hash((stamp_ns, line, stream))
        while (jump := self._sent.get(key) or self._before.get(key)) and (
            free_ns + jump < stamp_ns + room_ns
        ):
            free_ns += jump
            key = hash((free_ns, line, stream))
        if len(self._sent) >= self._max_sent:
            self._sent, self._before = {}, self._sent
        self._sent[key] = 1
        self._sent[first] = free_ns - stamp_ns + 1
        return free_ns
