"""Times as people type them, as nanoseconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from operator import index
from typing import Any

from lokikit.errors import SettingsError

Moment = str | int | datetime | timedelta
"""Text (see `parse_time_ns`), nanoseconds since 1970, a time with a zone, or so long ago."""

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1000
_EARLIEST_NS = 10**16
"""Smaller numbers are taken for seconds, milli- or microseconds; 10^16 ns is April 1970."""
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:[.,](\d+))?(?:[Zz]|([+-]\d\d):?([0-5]\d))?", re.ASCII
)
_EPOCH_NUMBER = re.compile(r"([1-9]\d*)(?:\.(\d+))?(?:[eE]\+?(\d{1,2}))?", re.ASCII)
_EPOCH_DIGITS = (10, 13, 16, 19)
"""Digits of a time from 2001 to 2262, in seconds, milli-, micro- and nanoseconds."""
_MAX_NS = 2**63 - 1
_MAX_DIGITS = len(str(_MAX_NS))
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"(\d+[smhdw])+", re.ASCII)
_PART = re.compile(r"(\d+)([smhdw])", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_RANGE = "1677-09-22 to 2262-04-11"
"""The whole days that 64 bits of nanoseconds hold."""
_ALLOWED = (
    "use a duration (90s, 30m, 1h, 2d, 1w, 1h30m), a time (2026-11-21T10:00:00Z, UTC when it "
    "names no zone), a date (2026-11-21) or now"
)


def parse_duration_ns(text: str, name: str) -> int:
    """Return the nanoseconds of a duration such as `1h30m`; `name` is its option, for the error.

    Raises:
        SettingsError: the text is no duration, or longer than Loki's time.
    """
    word = text.strip()
    if not _DURATION.fullmatch(word):
        raise SettingsError(f"{name} {text!r} is no duration: use 90s, 30m, 1h, 2d, 1w or 1h30m.")
    parts = [(_count(digits), unit) for digits, unit in _PART.findall(word)]
    duration_ns = sum(count * _UNITS_S[unit] for count, unit in parts) * NS_PER_S
    if duration_ns > _MAX_NS:
        raise SettingsError(f"{name} {text!r} is too long: Loki's time is 292 years from 1970.")
    return duration_ns


def _count(digits: str) -> int:
    """Return the number; the largest time for too many digits, which `int` may refuse to read."""
    return int(digits) if len(digits) < _MAX_DIGITS else _MAX_NS


def parse_time_ns(text: str, name: str, now_ns: int) -> int:
    """Return the time of RFC 3339, a date (its start), `now`, or a duration before `now_ns`.

    Raises:
        SettingsError: the text has another form, or is out of Loki's time.
    """
    word = text.strip()
    if word == "now":
        return now_ns
    if _DURATION.fullmatch(word):
        return _within_range(now_ns - parse_duration_ns(word, name), name, text)
    time_ns = parse_timestamp_ns(f"{word}T00:00:00Z" if _DATE.fullmatch(word) else word)
    if time_ns is None:
        raise SettingsError(f"{name} {text!r} is no time: {_ALLOWED}.")
    return _within_range(time_ns, name, text)


def _within_range(time_ns: int, name: str, moment: object) -> int:
    """Return the time, if 64 bits hold its nanoseconds."""
    if abs(time_ns) > _MAX_NS:
        raise SettingsError(f"{name} {moment} is out of range: Loki's time is {_RANGE}.")
    return time_ns


def moment_ns(moment: Moment, name: str, now_ns: int) -> int:
    """Return the nanoseconds since 1970 of any form of a moment.

    Raises:
        SettingsError: the text is no time, the time has no zone or is out of Loki's time, or the
            number is in seconds.
    """
    if isinstance(moment, str):
        return parse_time_ns(moment, name, now_ns)
    if isinstance(moment, timedelta):
        return _within_range(now_ns - _duration_ns(moment), name, moment)
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise SettingsError(f"{name} {moment} has no time zone: add one, such as timezone.utc.")
        return _within_range(_duration_ns(moment - EPOCH), name, moment)
    number = whole_number(moment)
    if number is None or 0 < abs(number) < _EARLIEST_NS:
        raise SettingsError(
            f"{name} {moment!r} is no number of nanoseconds since 1970: use time.time_ns(), "
            "a datetime with a zone, or a duration such as 1h."
        )
    return _within_range(number, name, moment)


def whole_number(value: Any) -> int | None:
    """Return a whole number as an `int`, `None` for other values."""
    try:
        return index(value)
    except TypeError:
        return None


def _duration_ns(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1) * NS_PER_US


def parse_span_ns(
    since: str | None, start: str | None, end: str | None, now_ns: int
) -> tuple[int, int]:
    """Return start and end of a query: `--from` or `--since` (an hour by default) up to `--to`.

    Raises:
        SettingsError: a time is wrong, both starts are set, or the end is not after the start.
    """
    if since and start:
        raise SettingsError("--since and --from are two starts: set one, not both.")
    end_ns = parse_time_ns(end or "now", "--to", now_ns)
    if start:
        start_ns = parse_time_ns(start, "--from", now_ns)
    else:
        start_ns = end_ns - parse_duration_ns(since or "1h", "--since")
        _within_range(start_ns, "--since", since)
    if start_ns >= end_ns:
        raise SettingsError(
            f"the span ends ({format_time(end_ns)}) before it starts ({format_time(start_ns)}): "
            "set --to after --from."
        )
    return start_ns, end_ns


def format_time(time_ns: int, digits: int = 6) -> str:
    """Return a time of RFC 3339 in UTC, with `digits` digits of the second's fraction, 0 to 9."""
    seconds, rest_ns = divmod(time_ns, NS_PER_S)
    whole = datetime.fromtimestamp(seconds, timezone.utc)
    fraction = f".{rest_ns:09d}"[: digits + 1] if digits else ""
    return f"{whole:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def utc_time(time_ns: int) -> datetime:
    """Return a time in UTC, to the microsecond."""
    return EPOCH + timedelta(microseconds=time_ns // NS_PER_US)


def parse_timestamp_ns(value: object) -> int | None:
    """Return the nanoseconds since 1970 of an RFC 3339 text, `None` for other values.

    Digits beyond nanoseconds are cut; a time without a zone is UTC.
    """
    match = _RFC_3339.fullmatch(value) if isinstance(value, str) else None
    if not match:
        return None
    second, fraction, zone_hours, zone_minutes = match.groups()
    second_s = _epoch_s(second, zone_hours, zone_minutes)
    if second_s is None:
        return None
    return second_s * NS_PER_S + (int(fraction[:9].ljust(9, "0")) if fraction else 0)


def parse_epoch_ns(written: str) -> int | None:
    """Return the nanoseconds since 1970 of a decimal number, `None` outside 2001 to 2262.

    Its unit (seconds, milli-, micro- or nanoseconds) follows from the digits before its point.
    """
    match = _EPOCH_NUMBER.fullmatch(written)
    if not match:
        return None
    whole, fraction, exponent = match.groups(default="")
    if len(whole) + int(exponent or 0) not in _EPOCH_DIGITS:
        return None
    time_ns = int((whole + fraction)[:19].ljust(19, "0"))
    return time_ns if time_ns <= _MAX_NS else None


@lru_cache(maxsize=1024)
def _epoch_s(second: str, zone_hours: str | None, zone_minutes: str | None) -> int | None:
    try:
        local = datetime.fromisoformat(f"{second}{zone_hours or '+00'}:{zone_minutes or '00'}")
        return (local - EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
