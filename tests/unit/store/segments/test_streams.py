from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lokikit.store.segments.streams import Streams, sorted_labels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A, B = sorted_labels({"x": "a", "y": "1"}), sorted_labels({"y": "1", "x": "b"})


@pytest.fixture
def streams(tmp_path: Path) -> Iterator[Streams]:
    opened = Streams(tmp_path)
    yield opened
    opened.close()


def test_equal_labels_have_one_number(streams: Streams) -> None:
    assert streams.numbers([A, B, A]) == {A: 0, B: 1}
    assert streams.numbers([sorted_labels({"y": "1", "x": "a"})]) == {A: 0}


def test_numbers_survive_a_restart(streams: Streams, tmp_path: Path) -> None:
    streams.numbers([A])
    again = Streams(tmp_path)
    assert again.numbers([B, A]) == {A: 0, B: 1}
    assert again.labels(1) == dict(B)
    again.close()


def test_a_number_is_not_used_again_when_its_labels_are_lost(streams: Streams) -> None:
    streams.restore({5: dict(A)})
    streams.name_unknown([5, 7])
    assert streams.labels(7)["lost_stream"] == "7"
    assert streams.numbers([B, A]) == {A: 5, B: 8}
