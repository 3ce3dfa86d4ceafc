"""The canary: numbered lines on the way of every service, and the check of their return."""

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

import lokikit
from lokikit import fields as f
from lokikit.errors import LokikitError
from lokikit.monitoring.canary_ledger import Findings, Ledger
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.query.client import Loki
    from lokikit.stack.agent_metrics import AgentNumbers

_SKEW_NS = 60 * NS_PER_S
_FIRST_PAUSE_S = 0.2
_ACCURACY = 0.25
"""A line is queried again after this share of the time since it was written."""

_log = logging.getLogger(f.CANARY_LOGGER)


@dataclass(frozen=True)
class Pace:
    """The intervals of the canary; `patience_s` is for its `Ledger`."""

    interval_s: float
    check_every_s: float
    patience_s: float


class Canary:
    """Writes numbered lines and queries them, until it is stopped.

    Args:
        loki: Loki in which the lines should arrive.
        pace: the intervals.
        contact_points: number of contacts for alerts, `None` when unknown.
        stopped: returns True to stop.
        agent: returns the agent's numbers; `None` without an agent that publishes them.
        clock: seconds of a monotonic clock.
        sleep: waits for a number of seconds, or until `stopped` returns True.
    """

    def __init__(  # noqa: PLR0913 - the last two are for tests
        self,
        loki: Loki,
        pace: Pace,
        *,
        contact_points: int | None,
        stopped: Callable[[], bool],
        sleep: Callable[[float], None],
        agent: Callable[[], AgentNumbers | None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loki, self._pace = loki, pace
        self._contacts = {} if contact_points is None else {f.CONTACT_POINTS: contact_points}
        self._stopped, self._sleep, self._clock = stopped, sleep, clock
        self._agent = agent
        self._run, self._seq = uuid.uuid4().hex[:12], 0
        self._ledger = Ledger(pace.patience_s)
        self._look_at_s = inf

    def run(self) -> None:
        """Write and check lines until stopped; lines that are on their way then are not counted."""
        with lokikit.bound(**{f.CANARY_RUN: self._run}):
            write_at_s = self._clock()
            check_at_s = write_at_s + self._pace.check_every_s
            while not self._stopped():
                if self._clock() >= write_at_s:
                    self._write()
                    write_at_s = _next(write_at_s, self._pace.interval_s, self._clock())
                if self._clock() >= check_at_s:
                    self._check()
                    check_at_s = _next(check_at_s, self._pace.check_every_s, self._clock())
                elif self._clock() >= self._look_at_s:
                    self._look(lost=False)
                self._sleep(min(write_at_s, check_at_s, self._look_at_s) - self._clock())
            self._log_findings(self._ledger.findings())

    def _write(self) -> None:
        self._seq += 1
        time_ns, now_s = time.time_ns(), self._clock()
        _log.info("canary line %d", self._seq, extra={f.CANARY_SEQ: self._seq})
        self._ledger.wrote(self._seq, time_ns, now_s)
        self._look_at_s = now_s + _FIRST_PAUSE_S

    def _look(self, *, lost: bool) -> LokikitError | None:
        """Read back the lines that are given up, or the others; return the reason if that fails."""
        problem = None
        if span := self._ledger.span(lost=lost):
            try:
                copies = self._copies(*span)
            except LokikitError as error:
                problem = error
                self._ledger.no_answer()
            else:
                self._ledger.read(copies, span, self._clock())
        self._look_later()
        return problem

    def _copies(self, start_ns: int, end_ns: int) -> Counter[int]:
        query = f'{{{f.LABEL_SERVICE}="{f.CANARY_SERVICE}"}} |= "{self._run}"'
        entries = self._loki.query_range(query, start_ns - _SKEW_NS, end_ns + _SKEW_NS)
        numbers = (entry.fields.get(f.CANARY_SEQ) for entry in entries)
        return Counter(number for number in numbers if isinstance(number, int))

    def _look_later(self) -> None:
        """Set the time of the next query, by the newest line that is not back."""
        since_s, now_s = self._ledger.awaited_since_s(), self._clock()
        pause_s = inf if since_s is None else max(_FIRST_PAUSE_S, _ACCURACY * (now_s - since_s))
        self._look_at_s = now_s + pause_s

    def _check(self) -> None:
        """Write a check line; while Loki does not answer its numbers wait for the next."""
        if problem := self._look(lost=False) or self._look(lost=True):
            _log.warning("check: nothing can be said: %s", problem, extra=self._contacts)
        else:
            self._log_findings(self._ledger.findings())

    def _log_findings(self, found: Findings) -> None:
        fields: dict[str, Any] = {
            f.CANARY_LOST: found.lost,
            f.CANARY_LATE: found.late,
            f.CANARY_DUPLICATES: found.duplicates,
            **self._contacts,
        }
        if found.round_trip_s is not None:
            fields[f.CANARY_ROUND_TRIP_S] = round(found.round_trip_s, 3)
        if numbers := self._agent():
            fields[f.AGENT_DROPPED] = numbers.dropped
        _log.log(_level(found), _sentence(found), extra=fields)


def _next(due_s: float, every_s: float, now_s: float) -> float:
    """Return the next time in the same rhythm; missed times are skipped."""
    return max(due_s + every_s, now_s)


def _level(found: Findings) -> int:
    if found.lost:
        return logging.ERROR
    return logging.WARNING if found.duplicates or found.late else logging.INFO


def _sentence(found: Findings) -> str:
    counts = {"lost": found.lost, "late": found.late, "duplicates": found.duplicates}
    bad = "".join(f", {count} {name}" for name, count in counts.items() if count)
    return f"check: {found.returned} lines back in time{bad}"
