import cramjam
import pytest

from lokikit.store.api.protobuf import decode_push
from lokikit.store.errors import PushError


def varint(value):
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def message(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(position, value):
    return varint(position << 3) + varint(value & 0xFFFF_FFFF_FFFF_FFFF)


def encode_push(labels, *entries):
    """A push of one stream: entries are seconds, nanoseconds, line and metadata."""
    stream = message(1, labels.encode())
    for seconds, nanoseconds, line, metadata in entries:
        pairs = b"".join(
            message(3, message(1, name.encode()) + message(2, value.encode()))
            for name, value in metadata.items()
        )
        timestamp = message(1, number(1, seconds) + number(2, nanoseconds))
        stream += message(2, timestamp + message(2, line.encode()) + pairs)
    return message(1, stream + number(3, 12345))


def test_streams_are_decoded_with_metadata():
    push = encode_push('{a="b"}', (1, 5, "x", {"k": "v"}), (2, 0, "", {}))
    entries = [(1_000_000_005, "x", {"k": "v"}), (2_000_000_000, "", {})]
    assert list(decode_push(push)) == [('{a="b"}', entries)]


def test_seconds_before_1970_are_negative():
    push = encode_push('{a="b"}', (-1, 0, "x", {}))
    assert list(decode_push(push)) == [('{a="b"}', [(-1_000_000_000, "x", {})])]


def test_unknown_fields_are_skipped():
    extra = number(9, 7) + varint(10 << 3 | 1) + b"12345678" + varint(11 << 3 | 5) + b"1234"
    assert list(decode_push(extra + encode_push('{a="b"}'))) == [('{a="b"}', [])]


def test_each_byte_that_is_no_text_is_replaced():
    push = message(1, message(2, message(2, b"\xf0\x9f\x98 x")))
    assert list(decode_push(push)) == [("", [(0, "\ufffd\ufffd\ufffd x", {})])]


def test_labels_that_are_no_text_are_refused():
    with pytest.raises(PushError, match="couldn't parse labels"):
        list(decode_push(message(1, message(1, b'{a="\xff"}'))))


@pytest.mark.parametrize(
    ("seconds", "nanoseconds"), [(0, -1), (0, 10**9), (253_402_300_800, 0), (-62_135_596_801, 0)]
)
def test_times_that_are_no_timestamps_are_refused(seconds, nanoseconds):
    with pytest.raises(PushError, match="no timestamp"):
        list(decode_push(encode_push('{a="b"}', (seconds, nanoseconds, "x", {}))))


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a\x05abc",  # shorter than its length
        b"\x0a",
        b"\x0f",  # a wire type that does not exist
        b"\xff" * 11,
        message(1, number(1, 5)),  # labels that are a number
        message(1, number(2, 5)),
        message(1, message(2, message(1, message(1, b"x")))),
        number(1, 5),
    ],
)
def test_broken_messages_are_refused(body):
    with pytest.raises(PushError) as refusal:
        list(decode_push(body))
    assert refusal.value.status == 400


def test_server_takes_snappy_messages(client):
    seconds = client.now_ns // 10**9
    push = encode_push(f'{{run="{client.run}"}}', (seconds - 1, 5, "x", {"k": "v"}))
    body = bytes(cramjam.snappy.compress_raw(push))
    answer = client.ask(
        "push", "POST", headers={"content-type": "application/x-protobuf"}, data=body
    )
    assert answer.status_code == 204
    assert client.lines()[0]["stream"]["k"] == "v"
