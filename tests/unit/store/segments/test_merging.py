from __future__ import annotations

from types import SimpleNamespace

import pytest

from lokikit.store.segments.merging import choose_merge
from lokikit.store.segments.segment import SegmentName
from lokikit.store.segments.settings import StoreSettings

SETTINGS = StoreSettings(merge_count=3, merged_max_bytes=1000, retention_s=8e-6)
"""A merged segment spans a microsecond at most."""


def segments(*sizes: int, step_ns: int = 10) -> list[SimpleNamespace]:
    return [
        SimpleNamespace(
            name=SegmentName(n, n, n * step_ns, n * step_ns + 5),
            summary=SimpleNamespace(line_bytes=size),
        )
        for n, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ((10, 10), []),
        ((10, 10, 10), [0, 1, 2]),
        ((10, 900, 10, 10, 10), [2, 3, 4]),
        ((900, 10, 10), []),
        ((400, 400, 400), []),
    ],
)
def test_neighbours_of_one_size_are_merged(sizes: tuple[int, ...], chosen: list[int]) -> None:
    assert [one.name.first_log for one in choose_merge(segments(*sizes), SETTINGS)] == chosen


def test_a_merged_segment_does_not_span_too_much_of_the_retention() -> None:
    assert choose_merge(segments(10, 10, 10, step_ns=600), SETTINGS) == []


@pytest.mark.parametrize(
    ("larger", "smaller", "covers"),
    [((1, 4), (2, 3), True), ((1, 4), (1, 4), False), ((1, 4), (4, 5), False)],
)
def test_a_segment_covers_those_whose_logs_it_has(
    larger: tuple[int, int], smaller: tuple[int, int], *, covers: bool
) -> None:
    assert SegmentName(*larger, 0, 0).covers(SegmentName(*smaller, 0, 0)) is covers
