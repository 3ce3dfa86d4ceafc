from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from lokikit.store.segments import core
from lokikit.store.segments.core import Waste

if TYPE_CHECKING:
    import pytest

FILES = ["seg.parquet", "seg.summary"]


def test_files_are_removed_in_order_so_that_no_kill_leaves_a_segment_without_summary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    removed: list[object] = []
    monkeypatch.setattr(core, "remove_files", removed.extend)
    waste = Waste()
    waste.files.extend(FILES)  # type: ignore[arg-type]  # the names are enough
    with duckdb.connect() as cursor:
        waste.remove(cursor)
    assert removed == FILES
