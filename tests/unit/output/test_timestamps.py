from concurrent.futures import ThreadPoolExecutor

import pytest

from lokikit.output.timestamps import StampClock


def test_a_stamp_is_the_time_in_utc_to_the_microsecond():
    """2026-11-21T10:00:00.123456 UTC is written with all six digits."""
    assert StampClock().stamp(1795255200.123456) == b"2026-11-21T10:00:00.123456"


def test_leading_zeros_of_the_fraction_stand():
    """A microsecond past the second has five zeros in front of it."""
    assert StampClock().stamp(1795255200.000001).endswith(b":00.000001")


def test_equal_times_get_different_stamps_in_order():
    """Events of one instant are a microsecond apart."""
    clock = StampClock()
    stamps = [clock.stamp(1795255200.5) for _ in range(1000)]
    assert stamps == sorted(set(stamps))


def test_a_small_step_back_is_bridged():
    """A clock set back by half a second does not turn the stamps back."""
    clock = StampClock()
    assert clock.stamp(1795255200.5) < clock.stamp(1795255200.0)


def test_a_large_step_back_is_followed():
    """A clock set back by an hour takes the stamps with it."""
    clock = StampClock()
    clock.stamp(1795258800.0)
    assert clock.stamp(1795255200.25) == b"2026-11-21T10:00:00.250000"


def test_the_second_is_crossed_while_bridging():
    """A bridged stamp carries over into the next second."""
    clock = StampClock()
    clock.stamp(1795255200.999999)
    assert clock.stamp(1795255200.999999) == b"2026-11-21T10:00:01.000000"


def test_threads_never_share_a_stamp():
    """Eight threads that stamp the same instants get 8,000 different stamps."""
    clock = StampClock()
    with ThreadPoolExecutor(8) as pool:
        batches = pool.map(lambda _: [clock.stamp(1795255200.0) for _ in range(1000)], range(8))
        assert len({stamp for batch in batches for stamp in batch}) == 8000


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_a_time_in_a_finer_unit_is_read_in_it(unit):
    """Relayed records have milliseconds; a year of five digits is no timestamp."""
    clock = StampClock()
    assert clock.stamp(1_793_000_000.0 * unit) == b"2026-10-26T07:33:20.000000"
    assert clock.stamp(1_793_000_000.0) == b"2026-10-26T07:33:20.000001"


def test_a_time_before_1970_is_now():
    assert StampClock().stamp(-1e12)[:2] == b"20"


def test_a_late_record_takes_no_later_stamp_with_it():
    """One that is older than a second has its own time, and those of the present stay apart."""
    clock = StampClock()
    now, late = 1795255200.0, 1795255190.0
    stamps = [clock.stamp(time_s) for time_s in (now, late, now, late, now, late - 5, late)]
    assert len(set(stamps)) == 7
    assert clock.stamp(late - 30) == b"2026-11-21T09:59:20.000000"


def test_a_record_that_comes_a_second_time_late_has_another_stamp():
    """As of a queue that delivers twice."""
    clock = StampClock()
    stamps = [clock.stamp(time_s) for time_s in (1795255190.0, 1795255200.0, 1795255190.0)]
    assert len(set(stamps)) == 3
