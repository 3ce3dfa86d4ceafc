from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from lokikit.fields import LINE_FIELDS, REQUIRED_FIELDS
from lokikit.monitoring.round_trip import by_file, marked_line

if TYPE_CHECKING:
    from pathlib import Path


def test_marked_line_keeps_the_contract() -> None:
    """The marked line has every required field and none beside the contract, in its order."""
    names = list(orjson.loads(marked_line("marker", "push", 0)))
    assert set(REQUIRED_FIELDS) <= set(names)
    assert names == [name for name in LINE_FIELDS if name in names]


def test_a_file_takes_whole_lines(tmp_path: Path) -> None:
    """Each line is appended with its end, into a folder that need not be there yet."""
    way = by_file("agent", tmp_path / "logs/check.log")
    assert (way.send(b"a"), way.send(b"b")) == ("", "")
    assert (tmp_path / "logs/check.log").read_bytes() == b"a\nb\n"


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A file that cannot be written is a reason, not an exception: other ways are still checked."""
    (tmp_path / "logs").write_text("in the way")
    assert "cannot write" in by_file("agent", tmp_path / "logs/check.log").send(b"a")
