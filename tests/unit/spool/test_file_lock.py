from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from lokikit.spool.file_lock import try_lock

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")


def test_a_second_open_file_gets_the_lock_after_the_first_is_closed(tmp_path: Path) -> None:
    """The same process is no exception."""
    path = tmp_path / "file"
    path.touch()
    with path.open("rb") as second:
        with path.open("rb") as first:
            assert try_lock(first)
            assert try_lock(first.fileno())
            assert not try_lock(second)
        assert try_lock(second)
