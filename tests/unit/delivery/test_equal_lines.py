from __future__ import annotations

import pytest

from lokikit.delivery.equal_lines import EqualLines, open_ns

LABELS = {"service_name": "shop"}


@pytest.mark.parametrize(
    ("stamp_ns", "room_ns"),
    [(5_000_000_000, 10**9), (5_250_000_000, 10**6), (5_250_001_000, 1000), (5_000_000_001, 1)],
)
def test_a_stamp_leaves_open_what_it_does_not_say(stamp_ns: int, room_ns: int) -> None:
    assert open_ns(stamp_ns) == room_ns


def test_a_full_room_is_not_left() -> None:
    sent = EqualLines()
    found = [sent.next_free(1000, 1000, LABELS, "same") for _ in range(1200)]
    assert set(found) == set(range(1000, 2000))


def test_what_is_remembered_is_bounded() -> None:
    sent = EqualLines(max_sent=10)
    for number in range(100):
        sent.next_free(0, 1000, LABELS, str(number))
    assert sent.next_free(0, 1000, LABELS, "0") == 0
    assert sent.next_free(0, 1000, LABELS, "99") == 1
