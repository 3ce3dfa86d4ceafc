"""Unpacks the body of a push: gzip, deflate or snappy, never to more than a limit."""

from __future__ import annotations

import zlib

from lokikit.store.api.http import TOO_LARGE
from lokikit.store.errors import PushError

_GZIP_BITS = 31
_RAW_BITS = -15
_MORE = 0x80
_MAX_PREFIX_BYTES = 5


def unpack_json(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The JSON of a body with this `Content-Encoding`.

    Raises:
        PushError: the encoding is unknown, the bytes are not of it, or they are too many.
    """
    # Loki takes `snappy` here too, and leaves the body as it is.
    if encoding in {"", "snappy"}:
        return body
    # Loki reads to the end of the JSON: bytes that are missing or follow it do not count.
    return _inflate(body, encoding, max_bytes, to_end=False)


def unpack_protobuf(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The protobuf message of a body: in snappy, which an encoding may pack once more.

    Raises:
        PushError: as for `unpack_json`.
    """
    if encoding not in {"", "snappy"}:
        body = _inflate(body, encoding, max_bytes, to_end=True)
    import cramjam  # noqa: PLC0415 - a store that only gets JSON starts faster

    if _snappy_size(body) > max_bytes:
        raise _too_large(max_bytes)
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except Exception as error:  # whatever the library raises: the bytes are wrong
        raise PushError("snappy: corrupt input") from error


def _inflate(body: bytes, encoding: str, max_bytes: int, *, to_end: bool) -> bytes:
    if encoding not in {"gzip", "deflate"}:
        raise PushError(f'Content-Encoding "{encoding}" not supported')
    if not body:
        raise PushError("EOF")
    parts: list[bytes] = []
    left = max_bytes
    while body:  # gzip may have several members behind each other
        unpacker = zlib.decompressobj(_GZIP_BITS if encoding == "gzip" else _RAW_BITS)
        try:
            parts.append(unpacker.decompress(body, left + 1))
        except zlib.error as error:
            if parts and not to_end:
                break
            raise PushError(f"{encoding}: invalid header or data") from error
        left -= len(parts[-1])
        if left < 0:
            raise _too_large(max_bytes)
        if to_end and not unpacker.eof:
            raise PushError("unexpected EOF")
        body = unpacker.unused_data if encoding == "gzip" else b""
    return b"".join(parts)


def _snappy_size(body: bytes) -> int:
    """Unpacked size of a snappy block, which its first bytes hold."""
    size = 0
    for index, byte in enumerate(body[:_MAX_PREFIX_BYTES]):
        size |= (byte & 0x7F) << (7 * index)
        if byte < _MORE:
            break
    return size


def _too_large(max_bytes: int) -> PushError:
    return PushError(
        f"request body too large: it unpacks to more than {max_bytes} bytes", TOO_LARGE
    )
