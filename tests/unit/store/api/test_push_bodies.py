import gzip
import zlib

import cramjam
import pytest

from lokikit.store.api.push_bodies import unpack_json, unpack_protobuf
from lokikit.store.errors import PushError

MAX = 1000


def raw_deflate(content):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", ""),
        (b"{}", "snappy"),
        (gzip.compress(b"{}", mtime=0), "gzip"),
        (raw_deflate(b"{}"), "deflate"),
    ],
)
def test_json_is_unpacked(body, encoding):
    assert unpack_json(body, encoding, MAX) == b"{}"


def test_protobuf_is_in_snappy_whatever_the_encoding():
    packed = bytes(cramjam.snappy.compress_raw(b"x"))
    assert unpack_protobuf(packed, "", MAX) == b"x"
    assert unpack_protobuf(packed, "snappy", MAX) == b"x"
    assert unpack_protobuf(gzip.compress(packed, mtime=0), "gzip", MAX) == b"x"
    assert unpack_protobuf(raw_deflate(packed), "deflate", MAX) == b"x"
    with pytest.raises(PushError, match="snappy: corrupt input"):
        unpack_protobuf(gzip.compress(b"x", mtime=0), "gzip", MAX)


@pytest.mark.parametrize("encoding", ["br", "identity", "GZIP", "gzip, gzip", "zstd"])
def test_other_encodings_are_refused(encoding):
    with pytest.raises(PushError, match="not supported"):
        unpack_json(b"{}", encoding, MAX)


@pytest.mark.parametrize(
    ("body", "encoding"), [(b"{}", "gzip"), (zlib.compress(b"{}"), "deflate"), (b"", "gzip")]
)
def test_bytes_of_another_encoding_are_refused(body, encoding):
    with pytest.raises(PushError) as refusal:
        unpack_json(body, encoding, MAX)
    assert refusal.value.status == 400


def test_members_of_gzip_behind_each_other_are_one_body():
    body = gzip.compress(b'{"a"', mtime=0) + gzip.compress(b":1}", mtime=0)
    assert unpack_json(body, "gzip", MAX) == b'{"a":1}'


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(b"{}", mtime=0)[:-1], "gzip"), (raw_deflate(b"{}" * 9)[:-1], "deflate")],
)
def test_a_message_that_is_cut_is_refused(body, encoding):
    with pytest.raises(PushError, match="unexpected EOF"):
        unpack_protobuf(body, encoding, MAX)


@pytest.mark.parametrize("behind", [b"", b"xx"])
def test_json_counts_to_its_end_whatever_stands_there(behind):
    body = gzip.compress(b"{}", mtime=0)
    assert unpack_json(body + behind if behind else body[:-3], "gzip", MAX) == b"{}"


def test_bombs_are_refused_before_they_are_unpacked():
    bomb = gzip.compress(bytes(10 << 20))
    with pytest.raises(PushError) as refusal:
        unpack_json(bomb, "gzip", MAX)
    assert refusal.value.status == 413


def test_snappy_bombs_are_refused_by_their_announced_size():
    with pytest.raises(PushError) as refusal:
        unpack_protobuf(bytes(cramjam.snappy.compress_raw(bytes(10 << 20))), "", MAX)
    assert refusal.value.status == 413


@pytest.mark.parametrize("body", [b"", b"\xff" * 9, b"\x05abc", b"\x80"])
def test_broken_snappy_is_refused(body):
    with pytest.raises(PushError):
        unpack_protobuf(body, "", 1 << 40)
