import time

import pytest

from lokikit.delivery.batch_limits import MAX_BATCH_ENTRIES
from lokikit.push.queue import ITEM_BYTES, ItemQueue, read_items


def _item(number, line=b"{}"):
    return b"2026-11-21T10:00:00.%06d" % number, line, {"service_name": "a"}, {"host": "h"}


@pytest.fixture
def queue():
    """A queue of five items, or five hundred bytes of lines and more."""
    return ItemQueue(5, 5 * ITEM_BYTES + 500)


def test_items_come_out_in_the_order_of_their_coming(queue):
    """They are one batch, when they fit."""
    for number in range(3):
        queue.add(_item(number))
    assert [item[0][-1:] for item in queue.pop_batch()] == [b"0", b"1", b"2"]
    assert not queue


def test_it_is_over_by_number_or_by_bytes(queue):
    """It is below its limits when the oldest item is dropped."""
    for number in range(6):
        queue.add(_item(number))
    assert queue.is_over()
    queue.drop_oldest()
    assert not queue.is_over()
    queue.add(_item(9, b"x" * 1000))
    queue.drop_oldest()
    assert queue.is_over()


def test_what_is_put_back_is_the_oldest_again(queue):
    """It keeps its order, and is counted."""
    for number in range(4):
        queue.add(_item(number))
    batch = queue.pop_batch()
    queue.add(_item(4))
    queue.put_back(batch)
    assert [item[0][-1:] for item in queue.pop_all()] == [b"0", b"1", b"2", b"3", b"4"]


def test_bytes_are_counted_exactly(queue):
    """Through every way in and out."""
    for number in range(4):
        queue.add(_item(number, b"x" * 10))
    queue.put_back(queue.pop_batch())
    queue.drop_oldest()
    queue.pop_all()
    assert queue._bytes == 0


def test_a_batch_has_a_limit():
    """The limit is a number of entries."""
    queue = ItemQueue(10**6, 10**9)
    for number in range(MAX_BATCH_ENTRIES + 1):
        queue.add(_item(number))
    assert queue.holds_a_batch()
    assert len(queue.pop_batch()) == MAX_BATCH_ENTRIES
    assert len(queue.pop_batch()) == 1


def test_an_empty_queue_has_no_age(queue):
    """Nothing waits."""
    assert queue.age_s() == 0.0


def test_read_items_share_labels_and_metadata():
    """Only a line with ids gets metadata of its own."""
    plain, with_id = read_items([_item(1), _item(2, b'{"request_id":"r"}')])
    assert plain.timestamp_ns == 1795255200_000001000
    assert plain.metadata == {"host": "h"}
    assert with_id.metadata == {"host": "h", "request_id": "r"}


def test_bytes_that_are_no_utf_8_are_replaced():
    """A text formatter may give anything."""
    (entry,) = read_items([_item(1, b"a\xffb")])
    assert entry.line == "a\ufffdb"


@pytest.mark.parametrize(
    "stamp",
    [
        b"58788-01-01T00:00:00.12345",
        b"58788-01-01T00:00:00.123456",
        b"-9999-01-01T00:00:00.123456",
        b"2026-13-41T10:00:00.000000",
        b"",
        b"\xff" * 26,
    ],
)
def test_a_timestamp_that_means_nothing_becomes_the_time_of_arrival(stamp):
    """The items beside it keep theirs."""
    before_ns = time.time_ns()
    good, bad = read_items([_item(1), (stamp, b"{}", {}, {})])
    assert good.timestamp_ns == 1795255200_000001000
    assert before_ns <= bad.timestamp_ns <= time.time_ns() + 1000


def test_an_item_that_cannot_be_read_leaves_the_others():
    entries = read_items([_item(1), (b"", None, {}, {}), _item(2)])
    assert [entry.timestamp_ns % 10**6 for entry in entries] == [1000, 2000]


def test_an_id_of_a_line_is_cut_as_a_label_is():
    """Else Loki refuses the line."""
    (entry,) = read_items([_item(1, b'{"request_id":"%s"}' % (b"r" * 100_000))])
    assert entry.metadata["request_id"] == "r" * 1024
