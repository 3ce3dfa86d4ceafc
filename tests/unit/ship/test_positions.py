from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.ship.positions import Position, Positions, PositionStore

if TYPE_CHECKING:
    from pathlib import Path

POSITIONS = Positions([Position("/a.log", 1, 2, 3, "ab", 4, 5)], {"/*.log": 6})


def test_positions_survive(tmp_path: Path) -> None:
    """What was saved is there at the next start, in a folder that was made for it."""
    store = PositionStore(tmp_path / "new" / "positions.json")
    assert store.open() == Positions()
    store.save(POSITIONS)
    store.close()
    again = PositionStore(store.path)
    assert again.open() == POSITIONS
    again.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """A second opener gets an error with advice; after the close it gets the positions."""
    first, second = (PositionStore(tmp_path / "positions.json") for _ in range(2))
    first.open()
    with pytest.raises(PrerequisiteError, match="--positions"):
        second.open()
    first.close()
    second.open()
    second.close()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"form":1,"files":[{}]}',
        '{"form":9}',
        '{"form":1,"files":[],"old_ns":[1]}',
    ],
)
def test_something_else_than_positions(tmp_path: Path, text: str) -> None:
    """A file that is no positions file is neither overwritten nor taken for an empty one."""
    path = tmp_path / "positions.json"
    path.write_text(text)
    store = PositionStore(path)
    with pytest.raises(SettingsError, match="remove it"):
        store.open()
    assert path.read_text() == text
    other = PositionStore(path)
    with pytest.raises(SettingsError):
        other.open()


def test_no_place_for_it(tmp_path: Path) -> None:
    """A folder that cannot be made is named with the option to change."""
    (tmp_path / "file").touch()
    with pytest.raises(PrerequisiteError, match="--positions"):
        PositionStore(tmp_path / "file" / "positions.json").open()


def test_half_written_file_is_never_met(tmp_path: Path) -> None:
    """What a crash left of a new version does not count."""
    store = PositionStore(tmp_path / "positions.json")
    store.open()
    store.save(POSITIONS)
    store.files()[1].write_text('{"form":1,"fi')
    store.close()
    assert store.open() == POSITIONS
    store.close()


def test_positions_of_an_earlier_version_are_read(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    path.write_text('{"form":1,"files":[]}')
    store = PositionStore(path)
    assert store.open() == Positions([], {})
    store.close()
