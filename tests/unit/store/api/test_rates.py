from lokikit.store.api.rates import ActiveStreams, ByteRate
from lokikit.store.segments.schema import PushedEntry


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def entry(**labels):
    return PushedEntry(labels, 1, "x", {})


def test_burst_is_admitted_at_once_and_refilled_by_the_second():
    clock = Clock()
    rate = ByteRate(10, 100, clock)
    assert [rate.admit(100), rate.admit(1)] == [True, False]
    clock.now_s = 1.0
    assert [rate.admit(11), rate.admit(10)] == [False, True]


def test_streams_beyond_the_limit_are_refused_and_named():
    streams = ActiveStreams(1, Clock())
    kept, problem = streams.admit([entry(a="1"), entry(a="2"), entry(a="1")])
    assert [one.labels["a"] for one in kept] == ["1", "1"]
    assert 'when trying to create stream {a="2"}, reduce' in problem


def test_idle_streams_make_room():
    clock = Clock()
    streams = ActiveStreams(1, clock)
    streams.admit([entry(a="1")])
    clock.now_s = 4000.0
    assert streams.admit([entry(a="2")])[1] == ""
