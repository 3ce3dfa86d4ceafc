"""What became of each numbered line of the canary.

A line that does not come back is given up once Loki has answered for as long as the patience
says, without a gap, since the line was written: while Loki is away nothing is known, so nothing
is lost. What is given up is counted once; when it comes after all, it is counted as late.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMORY_S = 24 * 3600
"""A line that has not come by then is given up in any case, and not looked for any more."""

Span = tuple[int, int]
"""Two times in nanoseconds since 1970, both of them in it."""


@dataclass
class _Line:
    time_ns: int
    written_s: float
    copies: int = 0
    lost: bool = False


@dataclass
class Findings:
    """What was found since the check before.

    Args:
        lost: lines that were given up.
        late: lines given up earlier that have come.
        duplicates: copies beyond the first of each line.
        returned: lines that came in time.
        round_trip_s: of the slowest of these, `None` when there is none.
    """

    lost: int = 0
    late: int = 0
    duplicates: int = 0
    returned: int = 0
    round_trip_s: float | None = None

    def came(self, after_s: float) -> None:
        """One more line came, so long after it was written."""
        self.returned += 1
        self.round_trip_s = max(after_s, self.round_trip_s or 0.0)


class Ledger:
    """Every line whose end is not known yet, or that may still come twice.

    Args:
        patience_s: a line is given up after Loki has answered for so long without it.
        memory_s: for how long a line that does not come is kept in mind.
    """

    def __init__(self, patience_s: float, memory_s: float = MEMORY_S) -> None:
        self._patience_s, self._memory_s = patience_s, memory_s
        self._lines: dict[int, _Line] = {}
        self._answers_since_s: float | None = None
        self._findings = Findings()

    def wrote(self, seq: int, time_ns: int, now_s: float) -> None:
        """Line `seq` was written just now."""
        self._lines[seq] = _Line(time_ns, now_s)
        self._forget(now_s)

    def no_answer(self) -> None:
        """Loki was asked and said nothing: patience begins anew."""
        self._answers_since_s = None

    def read(self, copies: Mapping[int, int], span: Span, now_s: float) -> None:
        """Loki has so many copies of each line, of those that were written in `span`."""
        if self._answers_since_s is None:
            self._answers_since_s = now_s
        for seq, line in self._lines.items():
            if span[0] <= line.time_ns <= span[1]:
                self._judge(line, copies.get(seq, 0), now_s)
        self._forget(now_s)

    def span(self, *, lost: bool) -> Span | None:
        """From the oldest to the newest line that is given up, or that is not."""
        times = [line.time_ns for line in self._lines.values() if line.lost == lost]
        return (min(times), max(times)) if times else None

    def awaited_since_s(self) -> float | None:
        """When the newest line was written that may still come in time; `None`: all is there."""
        lines = self._lines.values()
        times = (one.written_s for one in lines if not one.copies and not one.lost)
        return max(times, default=None)

    def findings(self) -> Findings:
        """What was found since this was last called."""
        told, self._findings = self._findings, Findings()
        return told

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
