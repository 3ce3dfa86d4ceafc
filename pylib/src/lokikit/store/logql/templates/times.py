"""Time functions of templates."""

from __future__ import annotations

import time
from typing import Any

from lokikit.store.logql.quoting import quote
from lokikit.store.logql.templates.moment_parser import parse_moment
from lokikit.store.logql.templates.moments import NS, ZERO_NS, Moment, moment_in
from lokikit.store.logql.templates.values import TemplateProblem

_EPOCH_UNITS_NS = {5: 86_400 * NS, 10: NS, 13: 1_000_000, 16: 1_000, 19: 1}
"""By the number of digits: days, seconds, milli-, micro- and nanoseconds."""


def now() -> Moment:
    """The time, on the local clock."""
    return moment_in(time.time_ns(), "Local")


def date(layout: str, value: Any) -> str:
    """A time, or seconds since 1970, by a layout and on the local clock."""
    if isinstance(value, Moment):
        at = value
    elif isinstance(value, int) and not isinstance(value, bool):
        at = Moment(int(value) * NS)
    else:
        at = now()
    return moment_in(at.time_ns, "Local").format(layout)


def to_date(layout: str, text: str) -> Moment:
    """The time that a text names on the local clock; Go's zero time when it names none."""
    return to_date_in_zone(layout, "Local", text)


def to_date_in_zone(layout: str, zone: str, text: str) -> Moment:
    """The time that a text names in a zone, in UTC for an unknown zone.

    A text that names no time gives Go's zero time.
    """
    try:
        return parse_moment(layout, text, zone)
    except LookupError:
        return to_date_in_zone(layout, "UTC", text)
    except (ValueError, OverflowError):
        return Moment(ZERO_NS)


def unix_to_time(text: str) -> Moment:
    """The time that a number names, by its count of digits.

    Raises:
        TemplateProblem: it is no number, or has another count of digits.
    """
    if not text.lstrip("+-").isdecimal():
        problem = f"strconv.ParseInt: parsing {quote(text)}: invalid syntax"
        raise TemplateProblem(f"unable to parse time '{text}': {problem}")
    unit_ns = _EPOCH_UNITS_NS.get(len(text))
    if unit_ns is None:
        raise TemplateProblem(f"unable to parse time '{text}': %!w(<nil>)")
    return moment_in(int(text) * unit_ns, "Local")


def unix_epoch(at: Moment) -> str:
    """Seconds since 1970."""
    return str(at.time_ns // NS)


def unix_epoch_millis(at: Moment) -> str:
    """Milliseconds since 1970."""
    return str(at.time_ns // 1_000_000)


def unix_epoch_nanos(at: Moment) -> str:
    """Nanoseconds since 1970."""
    return str(at.time_ns)
