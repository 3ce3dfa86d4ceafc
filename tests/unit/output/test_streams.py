from __future__ import annotations

import bz2
import codecs
import contextlib
import io
import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from lokikit.output.streams import is_terminal, plain_descriptor, write_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    "kind",
    [
        lambda fd: os.fdopen(fd, "w"),
        lambda fd: os.fdopen(fd, "wb"),
        lambda fd: os.fdopen(fd, "wb", buffering=0),
    ],
)
def test_a_plain_pipe_is_written_by_its_descriptor(kind: Callable[[int], Any]) -> None:
    reader, writer = os.pipe()
    with kind(writer) as stream:
        assert plain_descriptor(stream) == writer
    os.close(reader)


class _OwnText(io.TextIOWrapper):
    """As of test runners, which capture what is written."""


@pytest.mark.parametrize(
    "kind",
    [
        lambda path: _OwnText(path.open("wb")),
        lambda path: io.TextIOWrapper(bz2.open(path, "wb")),  # noqa: SIM115 - is closed
        lambda path: io.TextIOWrapper(path.open("wb"), encoding="utf-16"),
        lambda path: tempfile.NamedTemporaryFile("w", dir=path.parent),  # noqa: SIM115 - is closed
    ],
)
def test_any_other_stream_is_written_by_its_method(
    tmp_path: Path, kind: Callable[[Path], Any]
) -> None:
    with kind(tmp_path / "out") as stream:
        assert stream.fileno() >= 0
        assert plain_descriptor(stream) is None


@pytest.mark.parametrize("end", ["close", "detach"])
def test_a_stream_that_has_ended_has_no_descriptor(tmp_path: Path, end: str) -> None:
    stream = (tmp_path / "out").open("w")
    kept = getattr(stream, end)()
    assert plain_descriptor(stream) is None
    if kept is not None:
        kept.close()


def test_redirected_output_is_where_the_line_goes() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as redirected:
        assert plain_descriptor(sys.stdout) is None
        write_line(sys.stdout, b"m\n")
    assert redirected.getvalue() == "m\n"


def test_a_temporary_file_of_bytes_gets_bytes() -> None:
    """It is of no class of `io`."""
    with tempfile.NamedTemporaryFile() as stream:
        write_line(stream, b"m\n")
        stream.seek(0)
        assert stream.read() == b"m\n"


def test_what_has_no_isatty_is_no_terminal() -> None:
    assert not is_terminal(object())  # type: ignore[arg-type]


def test_writer_of_codecs_gets_text_for_its_encoding(tmp_path: Path) -> None:
    """It has the mode of the binary file that it writes to."""
    path = tmp_path / "app.log"
    with codecs.open(str(path), "w", "latin-1") as stream:
        write_line(stream, '{"a":"é€"}\n'.encode())
    assert path.read_bytes() == b'{"a":"\xe9\\u20ac"}\n'
