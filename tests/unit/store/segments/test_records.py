from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lokikit.store.segments.records import MARKER, AppendRecord, Damage, encode_record, read_records

PAYLOADS = st.lists(st.binary(max_size=50) | st.just(MARKER * 3), max_size=6)


def payloads(data: bytes) -> list[bytes]:
    return [item.payload for item in read_records(data) if isinstance(item, AppendRecord)]


@given(PAYLOADS)
def test_records_are_read_as_they_were_written(written: list[bytes]) -> None:
    data = b"".join(map(encode_record, written))
    assert payloads(data) == written
    assert not [item for item in read_records(data) if isinstance(item, Damage)]


@given(PAYLOADS, st.data())
def test_a_file_that_ends_within_a_record_is_torn_there(written: list[bytes], data) -> None:
    whole = b"".join(map(encode_record, written))
    last = encode_record(b"last")
    cut = data.draw(st.integers(1, len(last) - 1))
    items = list(read_records(whole + last[:cut]))
    assert items[-1] == Damage(len(whole), len(whole) + cut, torn=True)
    assert payloads(whole + last[:cut]) == written


@given(st.data())
def test_a_flipped_bit_costs_the_record_that_it_is_in_alone(data) -> None:
    records = [encode_record(f"record {n}".encode()) for n in range(3)]
    size = len(records[1])
    bit = data.draw(st.integers(0, size * 8 - 1))
    flipped = bytearray(records[1])
    flipped[bit // 8] ^= 1 << bit % 8
    items = list(read_records(records[0] + bytes(flipped) + records[2]))
    assert [type(item) for item in items] == [AppendRecord, Damage, AppendRecord]
    assert items[1] == Damage(len(records[0]), len(records[0]) + size, torn=False)


@pytest.mark.parametrize("garbage", [b"garbage", MARKER + b"\0" * 8 + b"xx", b"\0" * 100])
def test_garbage_at_the_end_is_damage_and_not_torn(garbage: bytes) -> None:
    items = [i for i in read_records(encode_record(b"a") + garbage) if isinstance(i, Damage)]
    assert [item.torn for item in items] == [False] * len(items)
    assert items
