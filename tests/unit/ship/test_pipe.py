from __future__ import annotations

import os

from lokikit.ship.pipe import PipeReader


def test_pipe_to_its_end() -> None:
    """Lines come as they are written; the last one needs no line end."""
    reading, writing = os.pipe()
    pipe = PipeReader(reading)
    assert pipe.read() == []
    os.write(writing, b"one\ntw")
    assert [line.raw for line in pipe.read()] == [b"one"]
    os.write(writing, b"o\nthree")
    os.close(writing)
    found = [line.raw for _ in range(3) for line in pipe.read()]
    assert found == [b"two", b"three"]
    assert pipe.ended
    os.close(reading)
