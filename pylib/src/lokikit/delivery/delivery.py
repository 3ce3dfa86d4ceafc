"""Delivery of a batch to Loki: retries, splits, dead letters, counts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lokikit.delivery.dead_letters import refusal_kind
from lokikit.delivery.push_api import Answer, Outcome
from lokikit.delivery.retry import MAX_BACKOFF_S, backoff_s

if TYPE_CHECKING:
    from lokikit.delivery.dead_letters import DeadLetters
    from lokikit.delivery.entry import Entry
    from lokikit.notices import Notices

    Push = Callable[[Sequence[Entry]], Answer]

SUSPECT_AFTER = 3
"""Number of 500s in a row after which Loki may be failing on the batch itself."""
SURE_AFTER = 5
"""The same for a single entry; more, so that a Loki that fails on every other push costs none."""
_SERVER_ERROR = 500
_OWN_ERROR = 0
"""Status of an answer that did not come, because our own code raised."""


@dataclass
class Counts:
    """Counts of entries and pushes so far.

    Args:
        sent: entries that Loki has stored.
        retried: pushes that were made again.
        dropped: entries that Loki will never have, by reason.
        dead_letters: dropped entries that are in the dead-letter file.
        connected: True when Loki took or refused entries of the last push; `None` before a push.
        last_error: reason of the last push that was not taken in full.
    """

    sent: int = 0
    retried: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0
    connected: bool | None = None
    last_error: str = ""


def isolating_errors(push: Push) -> Push:
    """Return `push` with exceptions as answers: a few retries, then a dead letter."""

    def isolated(entries: Sequence[Entry]) -> Answer:
        try:
            return push(entries)
        except Exception as error:  # noqa: BLE001 - one batch must not stop all others
            reason = f"an error of lokikit itself: {type(error).__name__}: {error}"
            return Answer(Outcome.RETRY, reason, _OWN_ERROR)

    return isolated


class Delivery:
    """Delivers batches to Loki, one at a time.

    Args:
        push: pushes entries once.
        target: name of Loki in notices.
        dead_letters: keeps entries that Loki refuses for good.
        notices: prints problems.
        wait: waits for a number of seconds; returns True to give up.
        who: first word of each notice.
        keep_hint: advice in the notice about refused entries that are not kept.
        rng: source of jitter.
    """

    def __init__(  # noqa: PLR0913 - each is a part that tests replace
        self,
        push: Push,
        *,
        target: str,
        dead_letters: DeadLetters,
        notices: Notices,
        wait: Callable[[float], bool],
        who: str = "ship",
        keep_hint: str = "name a file with --dead-letters",
        rng: random.Random | None = None,
    ) -> None:
        self.counts = Counts()
        self._push = push
        self._target = target
        self._dead_letters = dead_letters
        self._notices = notices
        self._wait = wait
        self._who = who
        self._keep_hint = keep_hint
        self._said_away = False
        self._rng = rng or random.Random()  # noqa: S311 - jitter is no secret

    def deliver(self, entries: Sequence[Entry]) -> list[Entry]:
        """Deliver entries; return those that are left when `wait` gives up, otherwise none."""
        pieces = [list(entries)] if entries else []
        failures, patience = 0, SUSPECT_AFTER
        while pieces:
            answer = self._push(pieces[-1])
            self._note(answer)
            enough = patience if len(pieces[-1]) > 1 else SURE_AFTER
            if failures >= enough and self._is_the_batch(answer):
                answer, patience = replace(answer, outcome=Outcome.SPLIT), 1
            if answer.outcome is Outcome.DONE:
                self.counts.sent += len(pieces.pop())
            elif answer.outcome is Outcome.SPLIT:
                pieces.extend(self._split(pieces.pop(), answer))
            elif self._wait(self._pause_s(answer, failures)):
                return [entry for piece in reversed(pieces) for entry in piece]
            else:
                failures += 1
                self.counts.retried += 1
                continue
            failures = 0
        return []

    def _is_the_batch(self, answer: Answer) -> bool:
        """Return True when Loki, or our own code, fails on this batch and not on an empty push."""
        if answer.status not in {_SERVER_ERROR, _OWN_ERROR}:
            return False
        return self._push([]).outcome in {Outcome.DONE, Outcome.SPLIT}

    def drop(self, entry: Entry, kind: str, reason: str) -> None:
        """Count an entry as dropped and keep it as a dead letter."""
        self.counts.dropped[kind] += 1
        try:
            self.counts.dead_letters += self._dead_letters.keep(entry, reason)
        except Exception as error:  # noqa: BLE001 - a letter must not stop the lines behind it
            place = self._dead_letters.path
            self._notices.say(
                "letters", f"{self._who}: cannot keep dead letters in {place}: {error}"
            )

    def _split(self, piece: list[Entry], answer: Answer) -> list[list[Entry]]:
        """Return the halves to push next, the first half last; none when the piece is refused."""
        if len(piece) > 1 and answer.refused < len(piece):
            middle = len(piece) // 2
            return [piece[middle:], piece[:middle]]
        for entry in piece:
            self.drop(entry, refusal_kind(answer.reason), f"{answer.status} {answer.reason}")
        self._say_dropped()
        return []

    def _say_dropped(self) -> None:
        counts = self.counts
        reasons = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.dropped.items()))
        place = self._dead_letters.path
        kept = f"kept in {place}" if place else f"not kept: {self._keep_hint}"
        self._notices.say(
            "dropped", f"{self._who}: {self._target} refused lines ({reasons}); {kept}"
        )

    def _pause_s(self, answer: Answer, failures: int) -> float:
        if answer.outcome is Outcome.CONFIGURATION:
            return self._rng.uniform(MAX_BACKOFF_S / 2, MAX_BACKOFF_S)
        return max(answer.retry_after_s, backoff_s(failures, self._rng))

    def _note(self, answer: Answer) -> None:
        self.counts.connected = answer.outcome in {Outcome.DONE, Outcome.SPLIT}
        if answer.outcome is not Outcome.DONE:
            self.counts.last_error = answer.reason
        if not self.counts.connected:
            text = f"{self._who}: {self._target} does not take lines: {answer.reason}; keeping them"
            self._said_away |= self._notices.say("away", text)
        elif self._said_away:
            self._said_away = False
            self._notices.say("back", f"{self._who}: {self._target} takes lines again")
