from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from lokikit.delivery.dead_letters import DeadLetters
from lokikit.delivery.delivery import Delivery
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import Answer, Outcome
from lokikit.delivery.retry import MAX_BACKOFF_S
from lokikit.notices import EVERY_S, Notices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

DONE = Answer(Outcome.DONE, status=204)
AWAY = Answer(Outcome.RETRY, "Connection refused")


def entries(count: int) -> list[Entry]:
    """Entries whose line is their number."""
    return [Entry(number, str(number), {"service_name": "a"}, {}) for number in range(count)]


class Rig:
    """A delivery to a Loki that the test plays."""

    def __init__(
        self,
        push: Callable[[Sequence[Entry]], Answer],
        path: Path | None = None,
        patience: int = 99,
    ) -> None:
        self.now_s = 0.0
        self.waits_s: list[float] = []
        self.said: list[str] = []
        self.pushed: list[list[str]] = []
        self._patience = patience

        def pushed(some: Sequence[Entry]) -> Answer:
            self.pushed.append([entry.line for entry in some])
            return push(some)

        self.delivery = Delivery(
            pushed,
            target="http://loki",
            dead_letters=DeadLetters(path, lambda: 0),
            notices=Notices(self.said.append, lambda: self.now_s),
            wait=self._wait,
            rng=random.Random(1),
        )
        self.counts = self.delivery.counts

    def _wait(self, wait_s: float) -> bool:
        self.waits_s.append(wait_s)
        self.now_s += wait_s
        return len(self.waits_s) >= self._patience


def answers(some: Iterable[Answer]) -> Callable[[Sequence[Entry]], Answer]:
    """A Loki that gives these answers in turn."""
    turn = iter(some)
    return lambda _: next(turn)


def refusing(*poison: str, refused: int = 0) -> Callable[[Sequence[Entry]], Answer]:
    """A Loki that refuses what holds one of these lines, as Loki does."""

    def push(some: Sequence[Entry]) -> Answer:
        if any(entry.line in poison for entry in some):
            return Answer(Outcome.SPLIT, "has timestamp too old", 400, refused=refused)
        return DONE

    return push


def test_delivered_at_once() -> None:
    """One push is enough when Loki takes it; an empty batch needs none."""
    rig = Rig(answers([DONE]))
    assert rig.delivery.deliver(entries(3)) == []
    assert rig.delivery.deliver([]) == []
    assert (rig.counts.sent, rig.counts.retried, rig.counts.connected) == (3, 0, True)


def test_away_and_back() -> None:
    """While Loki is away the same entries are pushed again, with growing waits."""
    rig = Rig(answers([AWAY] * 8 + [DONE]))
    assert rig.delivery.deliver(entries(2)) == []
    assert rig.pushed == [["0", "1"]] * 9
    assert (rig.counts.sent, rig.counts.retried) == (2, 8)
    assert max(rig.waits_s[:2]) <= 1 < max(rig.waits_s) <= MAX_BACKOFF_S


def test_outage_is_said_once_a_minute() -> None:
    """A long outage is said about once a minute, its end once."""
    rig = Rig(answers([AWAY] * 60 + [DONE]))
    rig.delivery.deliver(entries(1))
    away = [text for text in rig.said if "does not take lines" in text]
    assert 1 < len(away) <= rig.now_s / EVERY_S + 1
    assert "takes lines again" in rig.said[-1]


def test_retry_after_is_honoured() -> None:
    """Loki's own wish for a pause is the least that is waited."""
    rig = Rig(answers([Answer(Outcome.RETRY, "429", 429, retry_after_s=17), DONE]))
    rig.delivery.deliver(entries(1))
    assert rig.waits_s == [17]


def test_configuration_is_retried_slowly() -> None:
    """Under wrong credentials nothing is lost, and Loki is asked rarely."""
    rig = Rig(answers([Answer(Outcome.CONFIGURATION, "401; check", 401)] * 4 + [DONE]))
    assert rig.delivery.deliver(entries(1)) == []
    assert min(rig.waits_s) >= MAX_BACKOFF_S / 2
    assert "check" in rig.said[0]


@pytest.mark.parametrize("poison", [["0"], ["99"], ["41"], ["1", "2", "50"]])
def test_poison_stands_alone(poison: list[str], tmp_path: Path) -> None:
    """Only the entries that Loki refuses are dropped, each kept with its reason."""
    rig = Rig(refusing(*poison), tmp_path / "dead.ndjson")
    assert rig.delivery.deliver(entries(100)) == []
    letters = [json.loads(line) for line in (tmp_path / "dead.ndjson").read_text().splitlines()]
    assert [letter["line"] for letter in letters] == poison
    assert {letter["reason"] for letter in letters} == {"400 has timestamp too old"}
    assert rig.counts.dropped == {"too_old": len(poison)}
    assert rig.counts.dead_letters == len(poison)
    assert rig.counts.sent == 100 - len(poison)


def test_all_poison_needs_one_push(tmp_path: Path) -> None:
    """When Loki says that it refused all of them, no more is asked."""
    rig = Rig(refusing(*map(str, range(10)), refused=10), tmp_path / "dead.ndjson")
    rig.delivery.deliver(entries(10))
    assert len(rig.pushed) == 1
    assert rig.counts.dropped == {"too_old": 10}


def test_halves_keep_the_order() -> None:
    """A push that is too big goes in parts, in order."""
    rig = Rig(
        lambda some: DONE if len(some) <= 2 else Answer(Outcome.SPLIT, "too large", 413),
    )
    assert rig.delivery.deliver(entries(5)) == []
    taken = [part for part in rig.pushed if len(part) <= 2]
    assert [line for part in taken for line in part] == list("01234")


def test_giving_up_gives_the_rest_back() -> None:
    """When it is time to give up, what Loki does not have is given back, in order."""
    tried = answers([Answer(Outcome.SPLIT, "too large", 413), DONE, AWAY])
    rig = Rig(tried, patience=1)
    assert [entry.line for entry in rig.delivery.deliver(entries(4))] == ["2", "3"]
    assert rig.counts.sent == 2


def test_full_disk_under_the_dead_letters(tmp_path: Path) -> None:
    """A dead letter that cannot be kept is counted as dropped, said, and stops nothing."""
    rig = Rig(refusing("1"), tmp_path / "no folder" / "dead.ndjson")
    assert rig.delivery.deliver(entries(3)) == []
    assert (rig.counts.sent, rig.counts.dropped.total(), rig.counts.dead_letters) == (2, 1, 0)
    assert any("cannot keep dead letters" in text for text in rig.said)


def test_drops_without_a_file_are_said() -> None:
    """Without a dead-letter file the drop is counted and the option is named."""
    rig = Rig(refusing("1"))
    rig.delivery.deliver(entries(3))
    assert rig.counts.dead_letters == 0
    assert any("too_old 1" in text and "--dead-letters" in text for text in rig.said)
