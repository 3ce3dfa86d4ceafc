import pytest
from hypothesis import given
from hypothesis import strategies as st

from lokikit.store.logql.units import (
    MAX_NS,
    format_bytes,
    format_duration,
    format_range,
    parse_bytes,
    parse_duration_ns,
    parse_range_ns,
)

S = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "value_ns"),
    [
        ("0", 0),
        ("-0", 0),
        ("0s", 0),
        ("5s", 5 * S),
        ("+5s", 5 * S),
        ("-5s", -5 * S),
        ("1.5s", 3 * S // 2),
        (".5s", S // 2),
        ("5.s", 5 * S),
        ("1h30m", 5400 * S),
        ("30m1h", 5400 * S),
        ("1h1h", 7200 * S),
        ("12µs", 12_000),
        ("12μs", 12_000),
        ("12us", 12_000),
        ("3ns", 3),
        ("1.0001ms", 1_000_100),
        ("0.3333333333333333333h", 1_200_000_000_000),
        ("9223372036854775807ns", MAX_NS),
        ("-9223372036854775808ns", -MAX_NS - 1),
    ],
)
def test_go_durations_are_read(text, value_ns):
    """Go durations are read."""
    assert parse_duration_ns(text) == value_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        ".s",
        "-",
        "+-5s",
        "1d",
        "1w",
        "1 s",
        " 1s",
        "1S",
        "1e3s",
        "9223372036854775808ns",
    ],
)
def test_other_texts_are_no_go_durations(text):
    """Other texts are no go durations."""
    with pytest.raises(ValueError, match="time: invalid duration"):
        parse_duration_ns(text)


@pytest.mark.parametrize(
    ("text", "value_ns"),
    [
        ("0", 0),
        ("5m", 300 * S),
        ("1h30m", 5400 * S),
        ("1d", 86_400 * S),
        ("1w", 604_800 * S),
        ("1y", 31_536_000 * S),
        ("1y1w1d1h1m1s1ms", 32_230_861 * S + 1_000_000),
    ],
)
def test_prometheus_durations_are_read(text, value_ns):
    """Prometheus durations are read."""
    assert parse_range_ns(text) == value_ns


@pytest.mark.parametrize("text", ["", "5", "1.5h", "30m1h", "1h1h", "-5m", "5us", "300y"])
def test_other_texts_are_no_prometheus_durations(text):
    """Other texts are no prometheus durations."""
    with pytest.raises(ValueError, match="duration"):
        parse_range_ns(text)


@pytest.mark.parametrize(
    ("text", "value_bytes"),
    [
        ("42", 42),
        ("42b", 42),
        ("42 B", 42),
        ("42kb", 42_000),
        ("42kB", 42_000),
        ("42 k", 42_000),
        ("42 KiB", 43_008),
        ("42ki", 43_008),
        ("1.5MB", 1_500_000),
        ("1,024", 1024),
        ("5 MiB", 5 * 1024**2),
        ("1G", 10**9),
        ("2TiB", 2 * 1024**4),
        ("1PB", 10**15),
        ("1EiB", 1024**6),
        ("12.7", 12),
        (".5k", 500),
    ],
)
def test_sizes_are_read(text, value_bytes):
    """Sizes are read."""
    assert parse_bytes(text) == value_bytes


@pytest.mark.parametrize(
    "text", ["", "B", "-1B", "1.2.3", "5 parsecs", "84 JB", "16 EiB", " 1B", "."]
)
def test_other_texts_are_no_sizes(text):
    """Other texts are no sizes."""
    with pytest.raises(ValueError, match=r"size|ParseFloat|too large"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("value_ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (3_300_000_000, "3.3s"),
        (245 * S, "4m5s"),
        (5400 * S, "1h30m0s"),
        (-90 * S, "-1m30s"),
        (86_400 * S, "24h0m0s"),
    ],
)
def test_durations_are_written_as_go_does(value_ns, text):
    """Durations are written as go does."""
    assert format_duration(value_ns) == text


@pytest.mark.parametrize(
    ("value_ns", "text"),
    [
        (0, "0s"),
        (300 * S, "5m"),
        (5400 * S, "1h30m"),
        (86_400 * S, "1d"),
        (36 * 3600 * S, "1d12h"),
        (1_209_600 * S, "2w"),
        (8 * 86_400 * S, "8d"),
        (31_536_000 * S, "1y"),
        (1_500_000_000, "1s500ms"),
        (1500, "1.5µs"),
        (-300 * S, "-5m"),
    ],
)
def test_ranges_are_written_as_prometheus_does(value_ns, text):
    """Ranges are written as prometheus does."""
    assert format_range(value_ns) == text


@pytest.mark.parametrize(
    ("value_bytes", "text"),
    [
        (0, "0B"),
        (1234, "1234B"),
        (20_000_000, "20MB"),
        (5000, "5.0kB"),
        (5120, "5KiB"),
        (10**15, "1000TB"),
    ],
)
def test_sizes_are_written_without_loss(value_bytes, text):
    """Sizes are written without loss."""
    assert format_bytes(value_bytes) == text


@given(st.integers(min_value=-MAX_NS, max_value=MAX_NS))
def test_a_written_duration_is_read_back(value_ns):
    """A written duration is read back."""
    assert parse_duration_ns(format_duration(value_ns)) == value_ns


@given(st.integers(min_value=1, max_value=MAX_NS // 1_000_000))
def test_a_written_range_is_read_back(value_ms):
    """A written range is read back."""
    assert parse_range_ns(format_range(value_ms * 1_000_000)) == value_ms * 1_000_000


@given(st.integers(min_value=0, max_value=2**53))
def test_a_written_size_is_read_back(value_bytes):
    """A written size is read back."""
    assert parse_bytes(format_bytes(value_bytes)) == value_bytes
