from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from lokikit.errors import SettingsError
from lokikit.times import (
    NS_PER_S,
    Moment,
    format_time,
    moment_ns,
    parse_duration_ns,
    parse_epoch_ns,
    parse_span_ns,
    parse_time_ns,
    parse_timestamp_ns,
)

NOW_NS = 1_795_255_200_123_456_789
"""2026-11-21T10:00:00.123456789Z"""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("1h", 3600), ("2d", 172_800), ("1w", 604_800), ("1h30m", 5400)],
)
def test_durations(text: str, seconds: int) -> None:
    """Each unit means what it says, and they add up."""
    assert parse_duration_ns(text, "--since") == seconds * NS_PER_S


@pytest.mark.parametrize("text", ["", "1", "h", "1 h", "1.5h", "-1h", "1y", "٣h", "1h,"])
def test_bad_duration(text: str) -> None:
    """What is no duration is refused with the option's name and what is allowed."""
    with pytest.raises(SettingsError, match=r"--since .* use 90s, 30m"):
        parse_duration_ns(text, "--since")


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("now", NOW_NS),
        ("1h", NOW_NS - 3600 * NS_PER_S),
        ("2026-11-21T10:00:00.123456789Z", NOW_NS),
        ("2026-11-21T11:00:00.123456789+01:00", NOW_NS),
        ("2026-11-21 10:00:00", NOW_NS - 123_456_789),
        ("2026-11-21", NOW_NS - 123_456_789 - 36_000 * NS_PER_S),
    ],
)
def test_times(text: str, time_ns: int) -> None:
    """A time may be now, ago, RFC 3339 to the nanosecond, or a date; UTC unless it says."""
    assert parse_time_ns(text, "--from", NOW_NS) == time_ns


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "2026-11-21T25:00:00Z", "21.11.26"]
)
def test_bad_time(text: str) -> None:
    """What is no time is refused with the option's name and what is allowed."""
    with pytest.raises(SettingsError, match=r"--from .* use a duration .* a date .* or now"):
        parse_time_ns(text, "--from", NOW_NS)


def test_span_is_an_hour() -> None:
    """Without options the span is the last hour."""
    assert parse_span_ns("", "", "", NOW_NS) == (NOW_NS - 3600 * NS_PER_S, NOW_NS)


def test_since_counts_back_from_the_end() -> None:
    """`--since` with `--to` is the stretch before that end."""
    assert parse_span_ns("1m", "", "1h", NOW_NS) == (
        NOW_NS - 3660 * NS_PER_S,
        NOW_NS - 3600 * NS_PER_S,
    )


def test_from_and_to() -> None:
    """`--from` and `--to` are the two ends."""
    assert parse_span_ns("", "2h", "1h", NOW_NS) == (
        NOW_NS - 7200 * NS_PER_S,
        NOW_NS - 3600 * NS_PER_S,
    )


def test_two_starts() -> None:
    """`--since` and `--from` together are refused: one would win silently."""
    with pytest.raises(SettingsError, match="not both"):
        parse_span_ns("1h", "2h", "", NOW_NS)


def test_end_before_start() -> None:
    """A span that ends before it starts is refused, not found empty."""
    with pytest.raises(SettingsError, match="before it starts"):
        parse_span_ns("", "1h", "2h", NOW_NS)


def test_moments_of_every_form() -> None:
    """Text, nanoseconds, a time with a zone and a duration ago mean the same."""
    then = datetime(2026, 11, 21, 9, 0, 0, 123456, timezone.utc)
    then_ns = NOW_NS - 3600 * NS_PER_S
    assert moment_ns("1h", "since", NOW_NS) == then_ns
    assert moment_ns(timedelta(hours=1), "since", NOW_NS) == then_ns
    assert moment_ns(then_ns, "since", NOW_NS) == then_ns
    assert moment_ns(then, "since", NOW_NS) == then_ns // 1000 * 1000
    there = then.astimezone(timezone(timedelta(hours=5)))
    assert moment_ns(there, "since", NOW_NS) == then_ns // 1000 * 1000


def test_a_moment_without_a_zone_is_refused() -> None:
    """Python's own would be local, the text of one UTC: nobody can know."""
    with pytest.raises(SettingsError, match=r"since .* has no time zone"):
        moment_ns(datetime(2026, 11, 21), "since", NOW_NS)  # noqa: DTZ001 - on purpose


def test_format() -> None:
    """A time is written with as many digits as asked for, cut and not rounded."""
    assert format_time(NOW_NS) == "2026-11-21T10:00:00.123456Z"
    assert format_time(NOW_NS, 9) == "2026-11-21T10:00:00.123456789Z"


def test_time_to_the_second_has_no_point() -> None:
    assert format_time(NOW_NS, 0) == "2026-11-21T10:00:00Z"


@pytest.mark.parametrize("wrong", [None, date(2026, 11, 21), [], b"1h"])
def test_a_moment_of_another_type_is_refused(wrong: object) -> None:
    with pytest.raises(SettingsError, match="time_ns"):
        moment_ns(wrong, "since", NOW_NS)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("wrong", [1793000000.5, 1793000000, 1793000000123, 1793000000123456])
def test_a_number_that_is_not_of_nanoseconds_is_refused(wrong: float) -> None:
    """`time.time()` would be a moment of 1970."""
    with pytest.raises(SettingsError, match="time_ns"):
        moment_ns(wrong, "since", NOW_NS)  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("end", [":00+00:60", ":00+00:99", ":00+25:00", ":00-24:00", ":60Z"])
def test_what_no_clock_shows_is_no_timestamp(end: str) -> None:
    assert parse_timestamp_ns(f"2026-11-21T10:00{end}") is None


@pytest.mark.parametrize(
    ("written", "time_ns"),
    [
        ("1795255200", 1_795_255_200_000_000_000),
        ("1795255200.5", 1_795_255_200_500_000_000),
        ("1795255200123", 1_795_255_200_123_000_000),
        ("1795255200123.25", 1_795_255_200_123_250_000),
        ("1795255200123456", 1_795_255_200_123_456_000),
        ("1795255200123456789", 1_795_255_200_123_456_789),
        ("1795255200.1234567899", 1_795_255_200_123_456_789),
        ("1.7952552001234567e+18", 1_795_255_200_123_456_700),
        ("1.7952552E9", 1_795_255_200_000_000_000),
    ],
)
def test_number_of_our_time_is_read_in_its_unit(written: str, time_ns: int) -> None:
    assert parse_epoch_ns(written) == time_ns


@pytest.mark.parametrize(
    "written",
    [
        *("", "5", "179525520", "17952552001", "-1795255200", "01795255200", "1795255200."),
        *("1795255200s", " 1795255200", "\u0661795255200", "9999999999999999999", "1.5e-3", "NaN"),
    ],
)
def test_other_number_is_no_time(written: str) -> None:
    assert parse_epoch_ns(written) is None


@pytest.mark.parametrize(
    "moment",
    [
        *("0001-01-01", "1677-09-21", "9999-12-31T00:00:00Z", "2262-04-12", "106752d"),
        *("9" * 30 + "s", "9" * 5000 + "w", 2**63, -(2**63)),
        *(timedelta(days=200_000), timedelta.max, datetime(9999, 1, 1, tzinfo=timezone.utc)),
    ],
    ids=lambda moment: str(moment)[:24],
)
def test_a_time_that_loki_has_no_number_for_is_refused(moment: Moment) -> None:
    """Here, with what is possible, rather than by Loki with the error of its parser."""
    with pytest.raises(SettingsError, match=r"since .*Loki's time is"):
        moment_ns(moment, "since", NOW_NS)


@pytest.mark.parametrize("moment", ["1677-09-22", "2262-04-11", "106751d", "2262-04-11T23:47:16Z"])
def test_the_ends_of_loki_s_time_are_times(moment: str) -> None:
    """Of 64 bits of nanoseconds."""
    assert abs(parse_time_ns(moment, "--from", NOW_NS)) < 2**63


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (("200w", "1500-01-01", None), "not both"),
        (("99999999d", None, None), "--since '99999999d' is too long"),
        (("300w", None, "1678-01-01"), "--since 300w is out of range"),
        ((None, "1500-01-01", None), "--from 1500-01-01 is out of range"),
        ((None, "2026-01-01", "2300-01-01"), "--to 2300-01-01 is out of range"),
    ],
)
def test_a_span_names_the_option_that_is_out_of_range(
    span: tuple[str | None, str | None, str | None], said: str
) -> None:
    """Whichever it is."""
    with pytest.raises(SettingsError, match=said):
        parse_span_ns(*span, NOW_NS)
