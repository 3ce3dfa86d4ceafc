import math

import pytest

from lokikit.store.api.values import write_seconds, write_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e21, "1" + "0" * 21),
        (1e-7, "0.0000001"),
        (1.5e300, "15" + "0" * 299),
        (1 / 3, "0.3333333333333333"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (-0.0, "-0"),
        (123_456_789_000.0, "123456789000"),
        (1e16, "10000000000000000"),
        (-2.5, "-2.5"),
    ],
)
def test_numbers_have_no_exponent(value, text):
    assert write_value(value) == text


@pytest.mark.parametrize(
    ("time_ns", "seconds"),
    [(5 * 10**9, 5), (5_500_000_000, 5.5), (1_795_703_604_461_999_999, 1_795_703_604.461)],
)
def test_times_are_seconds_to_the_millisecond(time_ns, seconds):
    assert write_seconds(time_ns) == seconds
