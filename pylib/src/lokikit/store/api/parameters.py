"""The parameters of a query as Loki reads them, with its defaults and its error texts."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.store.errors import LimitError, QueryError
from lokikit.store.integers import read_decimal
from lokikit.store.logql.limits import check_points
from lokikit.store.logql.units import MAX_NS, format_duration, format_range, parse_range_ns
from lokikit.times import NS_PER_S, parse_timestamp_ns

if TYPE_CHECKING:
    from lokikit.store.api.http import Form
    from lokikit.store.rows import Direction

NS_PER_HOUR = 3600 * NS_PER_S
QUERY_SINCE_NS = NS_PER_HOUR
LABELS_SINCE_NS = 6 * NS_PER_HOUR
DEFAULT_LIMIT = 100
_STEPS_BY_DEFAULT = 250
_SECONDS_DIGITS = 10
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_BAD_STEP = "zero or negative query resolution step widths are not accepted. Try a positive integer"


@dataclass(frozen=True)
class Span:
    """The time that a query is about: `start_ns` <= time < `end_ns`."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """From start to end."""
        return self.end_ns - self.start_ns

    @property
    def behind_ns(self) -> int:
        """The end, or a nanosecond behind the start: a span without length holds its moment."""
        return max(self.end_ns, self.start_ns + 1)


def parse_time(text: str) -> int:
    """Nanoseconds of a count of seconds or nanoseconds since 1970, of a float, or of RFC 3339.

    Raises:
        QueryError: the text has another form.
    """
    if "." in text and _FLOAT.fullmatch(text):
        seconds, fraction = math.floor(float(text)), float(text) % 1
        return seconds * NS_PER_S + round(fraction * 1000) * 1_000_000
    if _INTEGER.fullmatch(text):
        number = read_decimal(text)
        if not -MAX_NS <= number <= MAX_NS:
            raise QueryError(f'strconv.ParseInt: parsing "{text}": value out of range')
        return number * NS_PER_S if len(text) <= _SECONDS_DIGITS else number
    time_ns = parse_timestamp_ns(text) if re.search(r"T.*(?:Z|[+-]\d\d:\d\d)$", text) else None
    if time_ns is None:
        raise QueryError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return time_ns


def parse_duration(text: str) -> int | None:
    """Nanoseconds of a duration of Prometheus, such as `1h30m`.

    None for other text, and for more than 64 bits hold (292 years).
    """
    try:
        return parse_range_ns(text)
    except ValueError:
        return None


def parse_step(text: str) -> int:
    """Nanoseconds of a step: a number of seconds, or a duration.

    Raises:
        QueryError: it is neither.
    """
    try:
        seconds = float(text) if text == text.strip() else None
    except ValueError:
        seconds = None
    if seconds is not None:
        if math.isnan(seconds):
            return -1
        if abs(seconds) * NS_PER_S > MAX_NS:
            raise QueryError(f'cannot parse "{text}" to a valid duration. It overflows int64')
        return int(seconds * NS_PER_S)
    duration_ns = parse_duration(text)
    if duration_ns is None:
        raise QueryError(f'cannot parse "{text}" to a valid duration')
    return duration_ns


def read_span(form: Form, now_ns: int, since_ns: int) -> Span:
    """The span that `start`, `end` and `since` name.

    Args:
        form: the parameters.
        now_ns: the time of the request, and the end without another.
        since_ns: from the start to the end, without another.

    Raises:
        QueryError: one of them is wrong, or the end lies before the start.
    """
    end_ns = _named_time(form, "end", now_ns)
    if since := form.get("since"):
        duration_ns = parse_duration(since)
        if duration_ns is None:
            raise QueryError(
                f"could not parse 'since' parameter: not a valid duration string: \"{since}\""
            )
        since_ns = duration_ns
    start_ns = _named_time(form, "start", min(end_ns, now_ns) - since_ns)
    if start_ns > end_ns:
        raise QueryError("end timestamp must not be before or equal to start time")
    return Span(start_ns, end_ns)


def _named_time(form: Form, name: str, default_ns: int) -> int:
    text = form.get(name)
    if not text:
        return default_ns
    try:
        return parse_time(text)
    except QueryError as error:
        raise QueryError(f"could not parse '{name}' parameter: {error}") from error


def read_limit(form: Form, name: str = "limit", default: int = DEFAULT_LIMIT) -> int:
    """A count of lines, series or values.

    Raises:
        QueryError: it is no number.
    """
    text = form.get(name)
    if not text:
        return default
    if not _INTEGER.fullmatch(text):
        raise QueryError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    number = read_decimal(text)
    if abs(number) > MAX_NS:
        raise QueryError(f'strconv.Atoi: parsing "{text}": value out of range')
    return number


def read_positive_limit(form: Form, name: str = "limit", default: int = DEFAULT_LIMIT) -> int:
    """A count of lines, fields or values that is not 0.

    Raises:
        QueryError: it is no positive number.
    """
    limit = read_limit(form, name, default)
    if limit <= 0:
        raise QueryError("limit must be a positive value")
    return limit


def read_direction(form: Form) -> Direction:
    """`direction`, backward when it is not set.

    Raises:
        QueryError: it is neither forward nor backward.
    """
    text = form.get("direction")
    if text.lower() in {"", "backward"}:
        return "backward"
    if text.lower() == "forward":
        return "forward"
    raise QueryError(f"invalid direction '{text}'")


def read_step(form: Form, span: Span, max_points: int) -> int:
    """`step` in nanoseconds; without it, about 250 points, and no less than a second.

    Raises:
        QueryError: it is not positive.
        LimitError: it makes too many points.
    """
    text = form.get("step")
    if text:
        step_ns = parse_step(text)
    else:
        step_ns = max(span.length_ns // (_STEPS_BY_DEFAULT * NS_PER_S), 1) * NS_PER_S
    if step_ns <= 0:
        raise QueryError(_BAD_STEP)
    check_points(span.length_ns // step_ns, max_points)
    return step_ns


def read_interval(form: Form) -> int:
    """`interval` in nanoseconds: the least time between two lines of an answer; 0 for any.

    Raises:
        QueryError: it is negative, or no duration.
    """
    interval_ns = parse_step(form.get("interval") or "0")
    if interval_ns < 0:
        raise QueryError("interval must be >= 0")
    return interval_ns


def check_range(form: Form, span: Span) -> None:
    """Check the parameters of a range of time that an answer does not depend on.

    Raises:
        QueryError: one of them is wrong.
    """
    read_positive_limit(form)
    read_direction(form)
    read_step(form, span, MAX_NS)
    read_interval(form)


def check_length(length_ns: int, max_ns: int) -> None:
    """Return when a query over so much time is allowed.

    Raises:
        LimitError: it is not.
    """
    if 0 < max_ns < length_ns:
        raise LimitError(
            f"the query time range exceeds the limit (query length: {format_duration(length_ns)}, "
            f"limit: {format_range(max_ns)})"
        )
