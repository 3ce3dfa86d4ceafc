"""Times of templates, written and read by the layouts of Go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

NS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MONTHS = "January February March April May June July August September October November December"
MONTHS = _MONTHS.split()
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
LAYOUT = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|-07:00:00|-070000|-07:00|-0700|-07"
    r"|Z07:00:00|Z070000|Z07:00|Z0700|Z07|002|__2|_2006|_2|01|02|03|04|05|06|15|PM|pm"
    r"|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5"
)
ZERO_NS = -62_135_596_800 * NS
"""Go's zero time: the start of the year 1."""
ERA_YEARS = 400
ERA_SECONDS = 146_097 * 86_400
"""Years after which the calendar repeats itself."""


@dataclass(frozen=True)
class Moment:
    """A time with its zone: seconds east of UTC, and an abbreviation."""

    time_ns: int
    offset_s: int = 0
    zone: str = "UTC"

    def local(self) -> datetime:
        """The time on the zone's clock, to the second, as if it was UTC's.

        The year 0 is `ERA_YEARS` later here, where the calendar is the same.
        """
        seconds = self.time_ns // NS + self.offset_s
        if self.time_ns < ZERO_NS:
            seconds += ERA_SECONDS
        return _EPOCH + timedelta(seconds=seconds)

    def year(self) -> int:
        """The year on the zone's clock."""
        return self.local().year - (ERA_YEARS if self.time_ns < ZERO_NS else 0)

    def __str__(self) -> str:
        return self.format("2006-01-02 15:04:05.999999999 -0700 MST")

    def format(self, layout: str) -> str:
        """The time as a layout of Go writes it."""
        parts, position = [], 0
        for match in LAYOUT.finditer(layout):
            parts += [layout[position : match.start()], self._element(match[0])]
            position = match.end()
        return "".join((*parts, layout[position:]))

    def _element(self, element: str) -> str:
        if element[0] in ".,":
            return self._fraction(element)
        if element[0] in "Z-":
            return self._offset(element)
        if element == "_2006":
            return f"_{self.year():04d}"
        return self._clock_element(element)

    def _clock_element(self, element: str) -> str:
        at = self.local()
        hour = at.hour % 12 or 12
        day_of_year = at.timetuple().tm_yday
        return {
            "January": MONTHS[at.month - 1],
            "Jan": MONTHS[at.month - 1][:3],
            "01": f"{at.month:02d}",
            "1": f"{at.month}",
            "Monday": DAYS[at.weekday()],
            "Mon": DAYS[at.weekday()][:3],
            "02": f"{at.day:02d}",
            "_2": f"{at.day:2d}",
            "2": f"{at.day}",
            "002": f"{day_of_year:03d}",
            "__2": f"{day_of_year:3d}",
            "15": f"{at.hour:02d}",
            "03": f"{hour:02d}",
            "3": f"{hour}",
            "04": f"{at.minute:02d}",
            "4": f"{at.minute}",
            "05": f"{at.second:02d}",
            "5": f"{at.second}",
            "2006": f"{self.year():04d}",
            "06": f"{self.year() % 100:02d}",
            "PM": "PM" if at.hour >= 12 else "AM",  # noqa: PLR2004 - noon
            "pm": "pm" if at.hour >= 12 else "am",  # noqa: PLR2004 - noon
            "MST": self.zone or self._offset("-0700"),
        }[element]

    def _fraction(self, element: str) -> str:
        digits = f"{self.time_ns % NS:09d}"[: len(element) - 1]
        if element[1] == "9":
            digits = digits.rstrip("0")
            return element[0] + digits if digits else ""
        return element[0] + digits.ljust(len(element) - 1, "0")

    def _offset(self, element: str) -> str:
        if element[0] == "Z" and self.offset_s == 0:
            return "Z"
        sign = "-" if self.offset_s < 0 else "+"
        minutes, seconds = divmod(abs(self.offset_s), 60)
        hours, minutes = divmod(minutes, 60)
        colon = ":" if ":" in element else ""
        parts = [f"{sign}{hours:02d}"]
        if len(element) > len("-07"):
            parts.append(f"{minutes:02d}")
        if len(element.replace(":", "")) > len("-0700"):
            parts.append(f"{seconds:02d}")
        return colon.join(parts)


def moment_in(time_ns: int, zone: str) -> Moment:
    """The moment on the clock of a zone of the IANA database, of `UTC` or `Local`.

    Raises:
        LookupError: the zone is unknown.
    """
    if zone in {"", "UTC"} or time_ns < ZERO_NS + 86_400 * NS:
        return Moment(time_ns)
    if zone == "Local":
        at = (_EPOCH + timedelta(seconds=time_ns // NS)).astimezone()
    else:
        at = (_EPOCH + timedelta(seconds=time_ns // NS)).astimezone(_zone(zone))
    offset = at.utcoffset() or timedelta(0)
    return Moment(time_ns, int(offset.total_seconds()), at.tzname() or "")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise LookupError(name) from error
