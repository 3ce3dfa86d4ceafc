from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.spool.segment_folder import SegmentFolder

if TYPE_CHECKING:
    from pathlib import Path


def test_names_stay_in_order_when_the_clock_steps_back(tmp_path: Path) -> None:
    times_s = iter([1_800_000_000.0, 1_799_996_400.0, 1_800_000_001.0])
    folder = SegmentFolder(tmp_path, sync=False, time_s=lambda: next(times_s))
    names = [folder.create().path.name for _ in range(3)]
    assert names == sorted(names)


def test_a_segment_that_was_due_earlier_sorts_before(tmp_path: Path) -> None:
    folder = SegmentFolder(tmp_path, sync=False, time_s=lambda: 1_800_000_000.0)
    later, earlier = folder.create(), folder.create(since_ns=1_700_000_000_000_000_000)
    assert folder.others([]) == [earlier.path, later.path]


def test_own_segments_are_not_counted_among_the_others(tmp_path: Path) -> None:
    """A file of another name is not counted either."""
    (tmp_path / "dead-letters.ndjson").write_bytes(b"x" * 100)
    folder = SegmentFolder(tmp_path, sync=False, time_s=lambda: 1_800_000_000.0)
    own, other = folder.create(), folder.create()
    assert folder.others([own]) == [other.path]
    assert folder.others_bytes([own]) == other.path.stat().st_size
    assert folder.others_bytes([own, other]) == 0


def test_a_name_that_is_taken_is_passed_over(tmp_path: Path) -> None:
    folder = SegmentFolder(tmp_path, sync=False, time_s=lambda: 1_800_000_000.0)
    again = SegmentFolder(tmp_path, sync=False, time_s=lambda: 1_800_000_000.0)
    assert folder.create().path != again.create().path
