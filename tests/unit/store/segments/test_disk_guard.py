from __future__ import annotations

from pathlib import Path

import pytest

from lokikit.store.errors import PushError
from lokikit.store.segments.disk_guard import DiskGuard

FOLDER = Path("/data")


def test_enough_room_is_not_measured_at_each_push() -> None:
    measured: list[Path] = []
    guard = DiskGuard(FOLDER, 10, lambda path: measured.append(path) or 10, lambda: 1.0)
    guard.check()
    guard.check()
    assert measured == [FOLDER]


def test_pushes_are_refused_until_there_is_room() -> None:
    free = iter([9, 9, 10])
    guard = DiskGuard(FOLDER, 10, lambda _: next(free), lambda: 1.0)
    for _ in range(2):
        with pytest.raises(PushError) as refusal:
            guard.check()
        assert refusal.value.status == 503
    guard.check()
