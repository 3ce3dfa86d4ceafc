"""The state of each numbered line of the canary.

A line that does not come back is given up when Loki has answered without a gap for the time of the
patience since the line was written: while Loki is away nothing is known, so no line is lost. A line
given up is counted once; when it comes after all, it is counted as late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MEMORY_S = 24 * 3600
"""Seconds after which a missing line is given up in any case, and no longer queried."""

Span = tuple[int, int]
"""First and last time, both included, in nanoseconds since 1970."""


@dataclass
class _Line:
    time_ns: int
    written_s: float
    copies: int = 0
    lost: bool = False


@dataclass
class Findings:
    """The counts since the last check.

    Args:
        lost: lines that were given up.
        late: lines that came after they were given up.
        duplicates: copies beyond the first of each line.
        returned: lines that came in time.
        round_trip_s: time of the slowest of these, `None` without any.
    """

    lost: int = 0
    late: int = 0
    duplicates: int = 0
    returned: int = 0
    round_trip_s: float | None = None

    def came(self, after_s: float) -> None:
        """Count a line that came this many seconds after it was written."""
        self.returned += 1
        self.round_trip_s = max(after_s, self.round_trip_s or 0.0)


class Ledger:
    """The lines that have not come yet, or that may still come twice.

    Args:
        patience_s: seconds of answers of Loki without a line until it is given up.
        memory_s: seconds for which a line that does not come is remembered.
    """

    def __init__(self, patience_s: float, memory_s: float = MEMORY_S) -> None:
        self._patience_s, self._memory_s = patience_s, memory_s
        self._lines: dict[int, _Line] = {}
        self._answers_since_s: float | None = None
        self._findings = Findings()

    def wrote(self, seq: int, time_ns: int, now_s: float) -> None:
        """Record that line `seq` was written now."""
        self._lines[seq] = _Line(time_ns, now_s)
        self._forget(now_s)

    def no_answer(self) -> None:
        """Record that Loki did not answer: the time of the patience begins again."""
        self._answers_since_s = None

    def read(self, copies: Mapping[int, int], span: Span, now_s: float) -> None:
        """Record how many copies Loki has of each line that was written in `span`."""
        if self._answers_since_s is None:
            self._answers_since_s = now_s
        for seq, line in self._lines.items():
            if span[0] <= line.time_ns <= span[1]:
                self._judge(line, copies.get(seq, 0), now_s)
        self._forget(now_s)

    def span(self, *, lost: bool) -> Span | None:
        """Return the span of the lines that are given up, or of the others."""
        times = [line.time_ns for line in self._lines.values() if line.lost == lost]
        return (min(times), max(times)) if times else None

    def awaited_since_s(self) -> float | None:
        """Return the time of the newest line that may still come in time; `None` without any."""
        lines = self._lines.values()
        times = (line.written_s for line in lines if not line.copies and not line.lost)
        return max(times, default=None)

    def findings(self) -> Findings:
        """Return the counts since the last call."""
        findings, self._findings = self._findings, Findings()
        return findings

    def _judge(self, line: _Line, copies: int, now_s: float) -> None:
        found = self._findings
        if copies > line.copies:
            if line.copies == 0 and line.lost:
                found.late += 1
            elif line.copies == 0:
                found.came(now_s - line.written_s)
            found.duplicates += copies - max(line.copies, 1)
            line.copies = copies
        since_s = max(line.written_s, self._answers_since_s or 0.0)
        if not line.copies and not line.lost and now_s - since_s >= self._patience_s:
            line.lost = True
            found.lost += 1

    def _forget(self, now_s: float) -> None:
        for seq, line in list(self._lines.items()):
            age_s = now_s - line.written_s
            if age_s >= (self._patience_s if line.copies else self._memory_s):
                del self._lines[seq]
                self._findings.lost += not line.copies and not line.lost
