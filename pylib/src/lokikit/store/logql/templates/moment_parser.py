"""Reads times by the layouts of Go."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from lokikit.store.logql.templates.moments import (
    DAYS,
    ERA_SECONDS,
    ERA_YEARS,
    LAYOUT,
    MONTHS,
    NS,
    Moment,
    moment_in,
)

_PATTERNS = {
    "January": f"(?P<month_name>{'|'.join(MONTHS)})",
    "Jan": f"(?P<month_short>{'|'.join(name[:3] for name in MONTHS)})",
    "01": r"(?P<month>\d\d)",
    "1": r"(?P<month>\d\d?)",
    "Monday": f"(?:{'|'.join(DAYS)})",
    "Mon": f"(?:{'|'.join(name[:3] for name in DAYS)})",
    "02": r"(?P<day>\d\d)",
    "_2": r"(?P<day> ?\d\d?)",
    "2": r"(?P<day>\d\d?)",
    "002": r"(?P<year_day>\d{3})",
    "__2": r"(?P<year_day> {0,2}\d{1,3})",
    "15": r"(?P<hour>\d\d?)",
    "03": r"(?P<hour12>\d\d)",
    "3": r"(?P<hour12>\d\d?)",
    "04": r"(?P<minute>\d\d)",
    "4": r"(?P<minute>\d\d?)",
    "05": r"(?P<second>\d\d)(?P<rest>[.,]\d+)?",
    "5": r"(?P<second>\d\d?)(?P<rest>[.,]\d+)?",
    "2006": r"(?P<year>\d{4})",
    "_2006": r"_(?P<year>\d{4})",
    "06": r"(?P<short_year>\d\d)",
    "PM": r"(?P<half>AM|PM)",
    "pm": r"(?P<half>am|pm)",
    "MST": r"(?P<zone>UTC|[A-Z]{3,5}|[+-]\d\d)",
    "-07": r"(?P<offset>[+-]\d\d)",
    "-0700": r"(?P<offset>[+-]\d{4})",
    "-07:00": r"(?P<offset>[+-]\d\d:\d\d)",
    "-070000": r"(?P<offset>[+-]\d{6})",
    "-07:00:00": r"(?P<offset>[+-]\d\d:\d\d:\d\d)",
}


def parse_moment(layout: str, text: str, zone: str) -> Moment:
    """The time of a text in the `layout` of Go; a text without a zone has `zone`.

    Raises:
        ValueError: the text does not follow the layout, or names no day of the calendar.
        LookupError: the zone is unknown.
    """
    match = re.compile(_expression(layout), re.IGNORECASE).fullmatch(text)
    if match is None:
        raise ValueError(f"cannot parse {text!r} as {layout!r}")
    found = {name: value for name, value in match.groupdict().items() if value is not None}
    clock_ns = _clock_ns(found)
    offset = found.get("offset")
    if offset is not None or "utc" in found:
        seconds = _offset_seconds(offset) if offset else 0
        return Moment(clock_ns - seconds * NS, seconds, "UTC" if not seconds else "")
    at = _on_clock(clock_ns, zone)
    named = found.get("zone", at.zone)
    return at if named == at.zone else Moment(clock_ns, 0, named)


def _on_clock(clock_ns: int, zone: str) -> Moment:
    """The moment when the zone's clock shows this time."""
    offset_s = moment_in(clock_ns, zone).offset_s
    offset_s = moment_in(clock_ns - offset_s * NS, zone).offset_s
    return moment_in(clock_ns - offset_s * NS, zone)


def _expression(layout: str) -> str:
    parts, position, used = [], 0, set()
    for match in LAYOUT.finditer(layout):
        element = match[0]
        parts.append(_literal(layout[position : match.start()]))
        position = match.end()
        if element in used:
            parts.append(re.sub(r"\?P<\w+>", "?:", _pattern(element)))
        else:
            parts.append(_pattern(element))
        used.add(element)
    return "".join((*parts, _literal(layout[position:])))


def _pattern(element: str) -> str:
    if element[0] in ".,":
        count = len(element) - 1
        return rf"(?P<fraction>[.,]\d{{{count}}})" if element[1] == "0" else r"(?P<more>[.,]\d+)?"
    if element[0] == "Z":
        return f"(?:(?P<utc>Z)|{_PATTERNS[element.replace('Z', '-', 1)]})"
    return _PATTERNS[element]


def _literal(text: str) -> str:
    return re.escape(text)


def _clock_ns(found: dict[str, str]) -> int:
    """Nanoseconds of the clock and the calendar, as if the zone was UTC."""
    year = int(found.get("year", "0")) if "year" in found else _short_year(found)
    at = datetime(year or ERA_YEARS, _month(found), int(found.get("day", "1")), tzinfo=timezone.utc)
    seconds = int(found.get("minute", "0")) * 60 + int(found.get("second", "0"))
    if int(found.get("minute", "0")) > 59 or int(found.get("second", "0")) > 59:  # noqa: PLR2004 - of an hour, of a minute
        raise ValueError("minute or second out of range")
    days = (at - datetime(1970, 1, 1, tzinfo=timezone.utc)).days
    if "year_day" in found:
        days += int(found["year_day"]) - 1
    if not year:
        days -= ERA_SECONDS // 86_400
    fraction = next((found[name] for name in ("fraction", "rest", "more") if name in found), ".0")
    fraction_ns = int(fraction[1:10].ljust(9, "0"))
    return (days * 86_400 + _hour(found) * 3_600 + seconds) * NS + fraction_ns


def _short_year(found: dict[str, str]) -> int:
    if "short_year" not in found:
        return 0
    year = int(found["short_year"])
    return year + (1900 if year >= 69 else 2000)  # noqa: PLR2004 - as Go reads two digits


def _month(found: dict[str, str]) -> int:
    if "month_name" in found:
        return MONTHS.index(found["month_name"].capitalize()) + 1
    if "month_short" in found:
        short = found["month_short"].capitalize()
        return [name[:3] for name in MONTHS].index(short) + 1
    return int(found.get("month", "1"))


def _hour(found: dict[str, str]) -> int:
    hour = int(found.get("hour", found.get("hour12", "0")))
    if hour > 23:  # noqa: PLR2004 - of a day
        raise ValueError("hour out of range")
    half = found.get("half", "").upper()
    if half == "PM" and hour < 12:  # noqa: PLR2004 - noon
        return hour + 12
    return 0 if half == "AM" and hour == 12 else hour  # noqa: PLR2004 - midnight


def _offset_seconds(offset: str) -> int:
    digits = offset[1:].replace(":", "").ljust(6, "0")
    seconds = int(digits[:2]) * 3_600 + int(digits[2:4]) * 60 + int(digits[4:6])
    return -seconds if offset[0] == "-" else seconds
