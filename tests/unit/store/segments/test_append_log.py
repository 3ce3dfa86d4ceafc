from __future__ import annotations

import errno
import io
from typing import TYPE_CHECKING

import pytest

from lokikit.store.segments.append_log import (
    AppendLog,
    cut_torn_end,
    log_number,
    log_path,
    read_log,
)

if TYPE_CHECKING:
    from pathlib import Path


class Full(io.FileIO):
    """Takes three more bytes, then no more, until there is room."""

    has_room = True

    def write(self, data) -> int:
        if self.has_room:
            return super().write(data)
        super().write(bytes(data)[:3])
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return log_path(tmp_path, 7)


def test_the_number_of_a_log_is_in_its_name(path: Path) -> None:
    assert log_number(path) == 7
    assert log_number(path.with_name("streams.log")) is None


def test_what_is_appended_is_read_back(path: Path) -> None:
    log = AppendLog(path)
    log.append([b"a", b"b"])
    log.append([b"c"])
    log.close()
    assert read_log(path) == ([b"a", b"b", b"c"], [])


def test_writing_goes_on_behind_what_is_there(path: Path) -> None:
    for payload in (b"a", b"b"):
        log = AppendLog(path)
        log.append([payload])
        log.close()
    assert read_log(path)[0] == [b"a", b"b"]


def test_a_failed_append_leaves_nothing_behind(path: Path) -> None:
    log = AppendLog(path, lambda path: Full(path, "ab"))
    log.append([b"a"])
    log._file.has_room = False
    with pytest.raises(OSError, match="No space"):
        log.append([b"b"])
    assert read_log(path) == ([b"a"], [])
    log._file.has_room = True
    log.append([b"c"])
    log.close()
    assert read_log(path) == ([b"a", b"c"], [])


def test_a_torn_end_is_cut(path: Path) -> None:
    log = AppendLog(path)
    log.append([b"a", b"b"])
    log.close()
    path.write_bytes(path.read_bytes()[:-1])
    payloads, damages = read_log(path)
    assert cut_torn_end(path, damages) == []
    assert (payloads, read_log(path)) == ([b"a"], ([b"a"], []))
