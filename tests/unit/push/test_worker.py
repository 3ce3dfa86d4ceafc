import threading
import time
from collections import deque

import pytest
from tests.waiting import eventually

from lokikit.delivery.batch_limits import MAX_BATCH_ENTRIES
from lokikit.delivery.dead_letters import DeadLetters
from lokikit.delivery.push_api import Answer, Outcome
from lokikit.notices import Notices
from lokikit.push.worker import SPILL_ENTRIES, PushWorker
from lokikit.spool.spool import Spool

_LABELS = {"service_name": "api"}
_DONE = Answer(Outcome.DONE, status=204)
_AWAY = Answer(Outcome.RETRY, "503 away", 503)


class Sink:
    """Stands in for a Loki that answers whatever a test wants, at once.

    Args:
        answers: the next answers; taken lines when there are none left.
    """

    target = "http://sink"
    timeout_s = (2.0, 10.0)

    def __init__(self, *answers):
        self.answers = deque(answers)
        self.always = None
        self.taken = []
        self.calls = []
        self.gate = threading.Event()
        self.gate.set()

    def push(self, entries):
        self.gate.wait(60)
        self.calls.append((len(entries), self.timeout_s))
        answer = self.always or (self.answers.popleft() if self.answers else _DONE)
        if callable(answer):
            answer = answer(entries)
        if answer.outcome is Outcome.DONE:
            self.taken += [entry.line for entry in entries]
        return answer

    def close(self):
        pass


@pytest.fixture
def said():
    """The notices so far."""
    return []


@pytest.fixture
def make(said):
    """Make workers on a sink; they are closed at the end."""
    made = []

    def make(sink, **options):
        settings = {
            "spool": None,
            "dead_letters": DeadLetters(None),
            "notices": Notices(said.append),
            "max_records": 50_000,
            "max_bytes": 32 * 1024 * 1024,
            "block_s": 0.0,
            "durable": False,
            **options,
        }
        made.append(PushWorker(lambda: sink, **settings))
        return made[-1]

    yield make
    for worker in made:
        worker.close(0.0)


def _item(number, size=0):
    line = b'{"timestamp":"2026-11-21T10:00:00.%06dZ","n":%d%s}' % (number, number, b" " * size)
    return line[14:40], line, _LABELS, {}


def _put(worker, count, start=0):
    for number in range(start, start + count):
        worker.put(_item(number))


def _lines(*numbers):
    return [_item(number)[1].decode() for number in numbers]


def test_what_is_put_arrives_in_order(make):
    """Once each, with its own timestamp."""
    sink = Sink()
    worker = make(sink)
    _put(worker, 10)
    assert worker.flush(60)
    assert sink.taken == _lines(*range(10))


def test_the_timestamp_is_that_of_the_line(make):
    """It is in nanoseconds."""
    got = []
    sink = Sink(lambda entries: got.extend(entries) or _DONE)
    worker = make(sink)
    worker.put(_item(123456))
    worker.flush(60)
    assert got[0].timestamp_ns == 1795255200_123456000


def test_the_ids_of_a_line_are_its_metadata(make):
    """Beside that of the handler; a nested key of the name is none."""
    got = []
    sink = Sink(lambda entries: got.extend(entries) or _DONE)
    worker = make(sink)
    stamp, *_ = _item(0)
    line = b'{"request_id":"r","x":{"trace_id":"no"},"y":1}'
    worker.put((stamp, line, _LABELS, {"host": "h"}))
    worker.flush(60)
    assert got[0].metadata == {"host": "h", "request_id": "r"}


def test_batches_are_cut_at_their_size(make):
    """5,000 entries, or a mebibyte."""
    sink = Sink()
    sink.gate.clear()
    worker = make(sink)
    _put(worker, 1)
    eventually(lambda: worker._in_hand)
    _put(worker, MAX_BATCH_ENTRIES * 2)
    for number in range(3):
        worker.put(_item(number, size=700_000))
    sink.gate.set()
    worker.flush(60)
    assert [count for count, _ in sink.calls] == [1, MAX_BATCH_ENTRIES, MAX_BATCH_ENTRIES, 2, 1]


def test_a_sink_that_is_away_is_tried_again(make):
    """No line is lost or sent twice."""
    sink = Sink(_AWAY, _AWAY)
    worker = make(sink)
    _put(worker, 3)
    assert worker.flush(60)
    assert sink.taken == _lines(0, 1, 2)
    assert worker.stats()["retried"] == 2


def test_a_full_queue_drops_the_oldest_and_counts_it(make, said):
    """The caller does not wait."""
    sink = Sink()
    sink.gate.clear()
    worker = make(sink, max_records=10)
    worker.put(_item(0))
    eventually(lambda: worker.stats()["queued"] == 1 and worker._in_hand)
    _put(worker, 25, start=1)
    assert worker.stats()["dropped"] == {"queue_full": 15}
    sink.gate.set()
    assert worker.flush(60)
    assert sink.taken == _lines(0, *range(16, 26))
    assert "queue_full" in said[0]


def test_the_queue_is_bounded_by_bytes_too(make):
    """Lines of 100 KB fill a megabyte long before 50,000 records do."""
    sink = Sink()
    sink.gate.clear()
    worker = make(sink, max_bytes=1_000_000)
    for number in range(40):
        worker.put(_item(number, size=100_000))
    stats = worker.stats()
    assert stats["queued"] <= 10 + 11  # in the queue, and in hand
    assert stats["dropped"]["queue_full"] + stats["queued"] == 40
    sink.gate.set()


def test_a_full_queue_may_block_for_a_while(make):
    """Room that comes in time loses nothing."""
    sink = Sink()
    sink.gate.clear()
    worker = make(sink, max_records=10, block_s=60.0)
    threading.Timer(0.3, sink.gate.set).start()
    _put(worker, 100)
    assert worker.flush(60)
    assert sink.taken == _lines(*range(100))
    assert worker.stats()["dropped"] == {}


def test_blocking_ends_at_its_limit(make):
    """Then the oldest is dropped after all."""
    sink = Sink()
    sink.gate.clear()
    worker = make(sink, max_records=1, block_s=0.01)
    _put(worker, 5)
    assert worker.stats()["dropped"]["queue_full"] >= 3
    sink.gate.set()


def test_a_full_queue_goes_to_the_spool(make, tmp_path):
    """The lines come back in order, before newer lines."""
    sink = Sink()
    sink.gate.clear()
    spool = Spool(tmp_path, max_bytes=10**7, max_age_s=1000)
    worker = make(sink, max_records=10, spool=spool)
    _put(worker, 10)
    eventually(lambda: worker._in_hand)
    _put(worker, 90, start=10)
    assert worker.stats()["spooled"] > 50
    sink.gate.set()
    assert worker.flush(60)
    assert sink.taken == _lines(*range(100))
    assert worker.stats()["spooled"] == 0


def test_an_outage_fills_the_spool_and_not_the_memory(make, tmp_path):
    """What waits for longer than a batch does is on disk."""
    sink = Sink()
    sink.always = _AWAY
    spool = Spool(tmp_path, max_bytes=10**7, max_age_s=1000)
    worker = make(sink, spool=spool)
    _put(worker, 1)
    eventually(lambda: sink.calls)
    _put(worker, MAX_BATCH_ENTRIES, start=1)
    eventually(lambda: worker.stats()["spooled"] >= MAX_BATCH_ENTRIES)
    sink.always = None
    assert worker.flush(60)
    assert sink.taken == _lines(*range(MAX_BATCH_ENTRIES + 1))


class BrokenSpool(Spool):
    def append(self, body, entries, since_ns=None):  # noqa: ARG002 - the signature of the real one
        raise OSError(28, "No space left on device")


def test_a_full_disk_degrades_to_memory_and_says_so_once(make, said, tmp_path):
    """Nothing is lost while the queue has room."""
    sink = Sink()
    sink.always = _AWAY
    spool = BrokenSpool(tmp_path, max_bytes=10**7, max_age_s=1000)
    worker = make(sink, spool=spool)
    _put(worker, MAX_BATCH_ENTRIES * 2)
    eventually(lambda: any("No space left" in text for text in said))
    sink.always = None
    assert worker.flush(60)
    assert sink.taken == _lines(*range(MAX_BATCH_ENTRIES * 2))
    assert sum("No space left" in text for text in said) == 1


def test_close_delivers_what_is_left(make):
    """Without waiting for the batch to be due."""
    sink = Sink()
    worker = make(sink)
    _put(worker, 5)
    worker.close(60.0)
    assert sink.taken == _lines(*range(5))
    assert not worker.stats()["worker_alive"]


def test_close_counts_what_it_cannot_deliver(make, said):
    """A notice has their number."""
    sink = Sink()
    sink.always = _AWAY
    worker = make(sink)
    _put(worker, 5)
    worker.close(0.5)
    assert worker.stats()["dropped"] == {"exit": 5}
    assert "exit 5" in said[-1]


def test_close_spools_what_it_cannot_deliver(make, tmp_path):
    """Whoever comes next delivers it."""
    sink = Sink()
    sink.always = _AWAY
    worker = make(sink, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(worker, 5)
    worker.close(0.5)
    assert worker.stats()["dropped"] == {}
    heir_sink = Sink()
    heir = make(heir_sink, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(heir, 1, start=9)
    eventually(lambda: sorted(heir_sink.taken) == _lines(0, 1, 2, 3, 4, 9))


def test_close_spools_what_a_hanging_push_has_in_hand(make, tmp_path):
    """The thread is not waited for beyond the deadline."""
    sink = Sink()
    sink.gate.clear()
    worker = make(sink, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(worker, 5)
    eventually(lambda: worker._in_hand)
    worker.close(0.1)
    heir_sink = Sink()
    heir = make(heir_sink, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(heir, 1, start=9)
    eventually(lambda: len(heir_sink.taken) == 6)
    sink.gate.set()


def test_close_keeps_the_order_on_disk(make, tmp_path):
    """What is in hand is older than what went to disk meanwhile, and is delivered before it."""
    sink = Sink()
    sink.gate.clear()
    spool = Spool(tmp_path, max_bytes=10**7, max_age_s=1000)
    worker = make(sink, spool=spool, max_records=10)
    _put(worker, 5)
    eventually(lambda: worker._in_hand)
    _put(worker, 30, start=5)
    assert spool.entries
    worker.close(0.1)
    heir_sink = Sink()
    make(heir_sink, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000)).put(_item(99))
    eventually(lambda: heir_sink.taken == _lines(*range(35), 99))
    sink.gate.set()


def test_requests_at_the_end_fit_into_the_deadline(make):
    """A hanging Loki cannot hold an exit for its read time limit."""
    sink = Sink(_AWAY, _AWAY)
    worker = make(sink)
    _put(worker, 1)
    worker.close(3.0)
    assert sink.calls
    assert all(max(timeout_s) <= 3.0 for _, timeout_s in sink.calls)


def test_after_close_no_thread_starts_again(make):
    """A late line is sent at once within the deadline, else counted."""
    sink = Sink()
    worker = make(sink)
    _put(worker, 1)
    worker.close(60.0)
    worker.put(_item(1))
    assert sink.taken == _lines(0, 1)
    assert not worker.stats()["worker_alive"]
    worker._sender.deadline_s = time.monotonic() - 1
    worker.put(_item(2))
    assert worker.stats()["dropped"] == {"closed": 1}


def test_where_no_thread_starts_close_sends_by_itself(make, monkeypatch):
    """Python 3.12 and later start no thread at the exit."""

    def refuse(_):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    sink = Sink()
    worker = make(sink)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    _put(worker, 5)
    assert not worker.stats()["worker_alive"]
    worker.close(60.0)
    assert sink.taken == _lines(*range(5))


def test_a_poison_entry_is_a_dead_letter_and_the_others_arrive(make, tmp_path):
    """The letter holds its reason as text."""
    poison = _item(7)[1].decode()

    def refuse(entries):
        bad = any(entry.line == poison for entry in entries)
        return Answer(Outcome.SPLIT, "entry too far behind", 400) if bad else _DONE

    sink = Sink()
    sink.always = refuse
    path = tmp_path / "dead.ndjson"
    worker = make(sink, dead_letters=DeadLetters(path))
    _put(worker, 50)
    assert worker.flush(60)
    assert sorted(sink.taken) == sorted(_lines(*(n for n in range(50) if n != 7)))
    assert worker.stats()["dropped"] == {"too_far_behind": 1}
    assert worker.stats()["dead"] == 1
    assert "too far behind" in path.read_text()


def test_an_error_of_our_own_stops_nothing(make, said):
    """It is said, and the lines are sent again."""

    def explode(_):
        raise ZeroDivisionError

    sink = Sink(explode, explode)
    worker = make(sink)
    _put(worker, 3)
    assert worker.flush(60)
    assert sink.taken == _lines(0, 1, 2)
    assert "ZeroDivisionError" in said[0]


def test_orphans_of_other_processes_are_looked_for_again(make, tmp_path, monkeypatch):
    """Segments left after the start of this process are found, too."""
    monkeypatch.setattr("lokikit.push.overflow.ADOPT_EVERY_S", 0.0)
    sink = Sink()
    worker = make(sink, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(worker, 1)
    worker.flush(60)
    away = Sink()
    away.always = _AWAY
    dying = make(away, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(dying, 1, start=1)
    dying.close(0.1)
    eventually(lambda: sink.taken == _lines(0, 1))


def test_a_flush_waits_behind_the_orphans(make, tmp_path):
    """They go first, and none of them stands for a line of this process."""
    away = Sink()
    away.always = _AWAY
    dying = make(away, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(dying, 10)
    dying.close(0.1)
    sink = Sink()
    worker = make(sink, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    sink.gate.clear()
    _put(worker, 3, start=100)
    eventually(lambda: worker.stats()["spooled"] or worker._disk.adopted)
    sink.answers.extend([_DONE, _AWAY])
    threading.Timer(0.1, sink.gate.set).start()
    assert worker.flush(60)
    assert sink.taken == _lines(*range(10), 100, 101, 102)


def test_a_caller_moves_only_a_few_lines_to_disk(make, tmp_path):
    """It must not pay for a whole batch in one call."""
    sink = Sink()
    sink.gate.clear()
    spool = Spool(tmp_path, max_bytes=10**7, max_age_s=1000)
    worker = make(sink, spool=spool, max_records=10_000)
    _put(worker, 10_000)
    eventually(lambda: worker._in_hand)
    while not spool.entries:
        _put(worker, 1)
    assert spool.entries == SPILL_ENTRIES
    sink.gate.set()


def test_durable_lines_are_on_disk_before_put_returns(make, tmp_path):
    """Whoever adopts the spool of a dead process finds each."""
    sink = Sink()
    sink.gate.clear()
    worker = make(sink, durable=True, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    for number in range(20):
        worker.put(_item(number))
        on_disk = b"".join(path.read_bytes() for path in tmp_path.glob("*"))
        assert b'\\"n\\":%d' % number in on_disk
    sink.gate.set()
    assert worker.flush(60)
    assert sink.taken == _lines(*range(20))


def test_durable_lines_wait_to_become_a_batch(make, tmp_path):
    """One push a second, not one a line."""
    sink = Sink()
    worker = make(sink, durable=True, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(worker, 300)
    assert worker.flush(60)
    assert len(sink.calls) <= 5


def test_a_forked_child_has_nothing_of_its_parents(make):
    """Neither records nor counts nor the thread; the parent goes on."""
    sink = Sink()
    sink.gate.clear()
    worker = make(sink)
    _put(worker, 5)
    worker.after_fork_in_child()
    assert worker.stats()["queued"] == 0
    assert not worker.stats()["worker_alive"]
    sink.gate.set()
    _put(worker, 1, start=50)
    assert worker.flush(60)
    assert _lines(50)[0] in sink.taken


def test_flush_returns_in_time_when_nothing_takes_lines(make):
    """It returns False, because not all is delivered."""
    sink = Sink()
    sink.always = _AWAY
    worker = make(sink)
    _put(worker, 1)
    assert not worker.flush(0.2)


def test_flush_of_an_empty_worker_is_done(make):
    """The same holds before the thread has started."""
    assert make(Sink()).flush(0.0)


def test_many_threads_lose_nothing(make):
    """Eight callers, 8,000 lines, each once."""
    sink = Sink()
    worker = make(sink)
    threads = [threading.Thread(target=_put, args=(worker, 1000, n * 1000)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worker.flush(60)
    assert sorted(sink.taken) == sorted(_lines(*range(8000)))


def test_a_batch_that_loki_fails_on_is_split(make, tmp_path, monkeypatch):
    """500 again and again, while an empty push is answered: the one entry is a dead letter."""
    monkeypatch.setattr("lokikit.delivery.delivery.backoff_s", lambda *_: 0.0)
    poison = _item(7)[1].decode()

    def fail(entries):
        if not entries:
            return Answer(Outcome.SPLIT, "at least one valid stream is required", 422)
        bad = any(entry.line == poison for entry in entries)
        return Answer(Outcome.RETRY, "500 invalid name", 500) if bad else _DONE

    sink = Sink()
    sink.always = fail
    worker = make(sink, dead_letters=DeadLetters(tmp_path / "dead.ndjson"))
    _put(worker, 50)
    assert worker.flush(60)
    assert sorted(sink.taken) == sorted(_lines(*(n for n in range(50) if n != 7)))
    assert worker.stats()["dead"] == 1


def test_a_loki_that_fails_on_every_other_push_costs_no_line(make, monkeypatch):
    """Its failures do not depend on the content of the push."""
    monkeypatch.setattr("lokikit.delivery.delivery.backoff_s", lambda *_: 0.0)
    calls = []

    def fail(entries):
        calls.append(len(entries))
        failing = entries and len(calls) % 2
        return Answer(Outcome.RETRY, "500 busy", 500) if failing else _DONE

    sink = Sink()
    sink.always = fail
    worker = make(sink)
    _put(worker, 50)
    assert worker.flush(60)
    assert sorted(sink.taken) == sorted(_lines(*range(50)))
    assert worker.stats()["dropped"] == {}


def test_after_close_the_statistics_say_what_is_left_on_disk(make, tmp_path):
    """It waits there for whoever comes next."""
    sink = Sink()
    sink.always = _AWAY
    worker = make(sink, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(worker, 5)
    worker.close(0.2)
    assert worker.stats()["spooled"] == 5


def test_an_item_that_cannot_be_read_is_counted_and_the_others_arrive(make):
    sink = Sink()
    worker = make(sink)
    _put(worker, 2)
    worker.put((b"", [], _LABELS, {}))
    _put(worker, 1, start=2)
    assert worker.flush(60)
    assert sink.taken == _lines(0, 1, 2)
    assert worker.stats()["dropped"] == {"unreadable": 1}


def test_an_entry_that_our_own_code_breaks_on_is_isolated(make, tmp_path, monkeypatch):
    """It is treated like an entry on which Loki fails."""
    monkeypatch.setattr("lokikit.delivery.delivery.backoff_s", lambda *_: 0.0)
    poison = _item(7)[1].decode()

    def explode(entries):
        if any(entry.line == poison for entry in entries):
            raise TypeError
        return _DONE

    sink = Sink()
    sink.always = explode
    worker = make(sink, dead_letters=DeadLetters(tmp_path / "dead.ndjson"))
    _put(worker, 50)
    assert worker.flush(60)
    assert sorted(sink.taken) == sorted(_lines(*(n for n in range(50) if n != 7)))
    assert worker.stats()["dropped"] == {"refused": 1}
    assert worker.stats()["dead"] == 1


def test_a_body_on_disk_that_cannot_be_read_is_counted_and_the_next_arrives(make, tmp_path):
    """Another version may have written it."""
    spool = Spool(tmp_path, max_bytes=10**7, max_age_s=1000)
    spool.append(b'{"streams": 1}', 3)
    sink = Sink()
    worker = make(sink, spool=spool)
    _put(worker, 2)
    eventually(lambda: sink.taken == _lines(0, 1))
    assert worker.stats()["dropped"] == {"spool_unreadable": 3}
    assert worker.stats()["spooled"] == 0


def test_a_disk_that_cannot_be_read_does_not_hold_up_the_queue(make, said, tmp_path):
    class Unreadable(Spool):
        def read(self, *_):
            raise OSError(5, "Input/output error")

    spool = Unreadable(tmp_path, max_bytes=10**7, max_age_s=1000)
    spool.append(b"{}", 1)
    sink = Sink()
    worker = make(sink, spool=spool)
    _put(worker, 1)
    eventually(lambda: said)
    _put(worker, 2, start=1)
    eventually(lambda: sink.taken == _lines(1, 2))
    assert "Input/output error" in said[0]


def test_closing_raises_nothing_when_the_connection_does(make, said):
    class Stuck(Sink):
        def close(self):
            raise RuntimeError("stuck")

    worker = make(Stuck())
    _put(worker, 2)
    worker.close(60.0)
    assert "stuck" in said[0]


def test_a_flush_waits_for_all_lines_beside_records_that_were_lost_before(make):
    """A drop of what was never accepted settles no other line."""
    sink = Sink()
    sink.always = _AWAY
    worker = make(sink)
    for _ in range(9):
        worker.count_lost("broken")
    _put(worker, 5)
    assert not worker.flush(0.1)
    sink.always = None
    assert worker.flush(60)
    assert sink.taken == _lines(*range(5))
    assert worker.stats()["dropped"] == {"error": 9}


def test_a_retired_worker_delivers_what_is_left_and_ends(make):
    """Nobody waits for it, however long Loki is away."""
    ended = []
    sink = Sink()
    sink.always = _AWAY
    worker = make(sink)
    _put(worker, 5)
    worker.retire(lambda: ended.append(True))
    eventually(lambda: sink.calls)
    assert not ended
    sink.always = None
    eventually(lambda: ended)
    assert sink.taken == _lines(*range(5))
    eventually(lambda: not worker.stats()["worker_alive"])
    assert worker.stats()["dropped"] == {}


def test_a_retired_worker_delivers_its_disk_before_it_ends(make, tmp_path):
    ended = []
    sink = Sink()
    sink.always = _AWAY
    worker = make(sink, spool=Spool(tmp_path, max_bytes=10**7, max_age_s=1000))
    _put(worker, 5)
    eventually(lambda: sink.calls)
    _put(worker, 5, start=5)
    worker.retire(lambda: ended.append(True))
    eventually(lambda: worker.stats()["spooled"])
    sink.always = None
    eventually(lambda: ended)
    assert sink.taken == _lines(*range(10))
    assert not list(tmp_path.glob("*.spool"))


def test_a_retired_worker_without_a_thread_ends_at_once(make):
    ended = []
    make(Sink()).retire(lambda: ended.append(True))
    assert ended


def test_what_a_retired_worker_could_not_deliver_is_counted_at_the_exit(make):
    sink = Sink()
    sink.always = _AWAY
    worker = make(sink)
    _put(worker, 5)
    worker.retire(lambda: None)
    worker.close(0.1)
    assert worker.stats()["dropped"] == {"exit": 5}


def test_an_item_that_cannot_be_read_is_counted_once_however_often_the_disk_fails(make, tmp_path):
    sink = Sink()
    sink.always = _AWAY
    worker = make(sink, max_records=1, spool=BrokenSpool(tmp_path, max_bytes=10**7, max_age_s=1000))
    worker.put((b"", [], _LABELS, {}))
    _put(worker, 5)
    worker.close(0.1)
    assert worker.stats()["dropped"]["unreadable"] == 1
