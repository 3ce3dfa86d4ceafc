"""Output to a stream: to its descriptor directly, or through its `write`."""

from __future__ import annotations

import io
from typing import IO, Any

_PROBE = "a\n"
_BUFFERS = (io.BufferedWriter, io.BufferedRandom)


def plain_descriptor(stream: IO[Any] | None) -> int | None:
    """Return the descriptor of a stream whose `write` only writes the bytes of UTF-8 to it.

    `None` for other streams, even if they have a `fileno`: a notebook's cell, a compressed file or
    a tee writes only a part of its output there, or another form.
    """
    raw: Any = stream
    if type(raw) is io.TextIOWrapper:
        if "write" in vars(raw) or not _keeps_ascii(raw):
            return None
        raw = _get(raw, "buffer")
    if type(raw) in _BUFFERS:
        raw = _get(raw, "raw")
    if type(raw) is not io.FileIO:
        return None
    try:
        return raw.fileno()
    except (OSError, ValueError):
        return None


def write_line(stream: IO[Any] | None, line: bytes) -> None:
    """Write a line of UTF-8 through the stream's own method, as text or as bytes.

    Raises:
        ValueError: there is no stream, or it is closed.
    """
    if stream is None or getattr(stream, "closed", False):
        raise ValueError("the stream is closed")
    write = _write_bytes if _is_binary(stream) else _write_text
    write(stream, line)
    if (flush := getattr(stream, "flush", None)) is not None:
        flush()


def is_terminal(stream: IO[Any] | None) -> bool:
    """Return True for an open terminal; a stream may lack all methods except `write`."""
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, OSError, ValueError):
        return False


def _write_bytes(stream: IO[Any], line: bytes) -> None:
    try:
        stream.write(line)
    except TypeError:  # a writer of `codecs` has the mode of the file behind it
        _write_text(stream, line)


def _write_text(stream: IO[Any], line: bytes) -> None:
    text = line.decode()
    try:
        stream.write(text)
    except UnicodeEncodeError:
        stream.write(_escape(text, getattr(stream, "encoding", None) or "ascii"))
    except TypeError:  # a foreign stream that takes bytes
        stream.write(line)


def _escape(text: str, encoding: str) -> str:
    """Return the text with JSON's escapes for characters that the encoding lacks."""
    return "".join(one if _has(encoding, one) else _json_escape(one) for one in text)


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _is_binary(stream: Any) -> bool:
    if isinstance(stream, io.TextIOBase):
        return False
    return isinstance(stream, (io.RawIOBase, io.BufferedIOBase)) or "b" in str(_get(stream, "mode"))


def _keeps_ascii(stream: io.TextIOWrapper) -> bool:
    """Return True when the encoding writes ASCII like UTF-8; False for UTF-16."""
    try:
        return _PROBE.encode(stream.encoding) == _PROBE.encode()
    except LookupError:
        return False


def _get(stream: Any, name: str) -> Any:
    try:
        return getattr(stream, name, "")
    except ValueError:  # its buffer was detached
        return ""
