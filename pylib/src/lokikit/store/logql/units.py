"""Durations and sizes of bytes, read and written as Go programs do.

Sources: the documentation of Go's `time.ParseDuration`, of Prometheus' durations, and of
`go-humanize`.
"""

from __future__ import annotations

import math
import re

from lokikit.store.integers import read_decimal
from lokikit.store.logql.quoting import quote

_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 7 * 86_400_000_000_000,
    "y": 365 * 86_400_000_000_000,
}
_BYTES = {"": 1, "b": 1} | {
    letter + ending: base ** (power + 1)
    for power, letter in enumerate("kmgtpe")
    for ending, base in (("b", 1000), ("", 1000), ("ib", 1024), ("i", 1024))
}
MAX_NS = (1 << 63) - 1
_MAX_FRACTION, _MAX_DIGITS = 1 << 63, 60
_MAX_BYTES = 1 << 64
_ONE_PLACE_BELOW = 10

_GO_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")
_GO_DURATION = re.compile(rf"[-+]?(?:(?=[0-9]|\.[0-9]){_GO_PART.pattern})+")
_RANGE_DURATION = re.compile(
    r"(?:([0-9]+)y)?(?:([0-9]+)w)?(?:([0-9]+)d)?(?:([0-9]+)h)?"
    r"(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?"
)
_RANGE_UNITS = ("y", "w", "d", "h", "m", "s", "ms")
_UNIT_RUN = re.compile(r"[0-9]+([^0-9]+)")
_SIZE = re.compile(r"([0-9.,]+)[ \t\n\v\f\r]*([A-Za-z]*)[ \t\n\v\f\r]*")


def parse_duration_ns(text: str) -> int:
    """Nanoseconds of a Go duration, as `1h30m`, `-1.5s` or `20µs`.

    Args:
        text: hours are the largest unit that Go knows; `0` needs no unit.

    Raises:
        ValueError: the text is no duration, or does not fit in 63 bits.
    """
    if text in {"0", "+0", "-0"}:
        return 0
    if not _GO_DURATION.fullmatch(text):
        raise ValueError(f"time: invalid duration {quote(text)}")
    total_ns = sum(_part_ns(*part.groups()) for part in _GO_PART.finditer(text))
    if total_ns > MAX_NS + (text[0] == "-"):
        raise ValueError(f"time: invalid duration {quote(text)}")
    return -total_ns if text[0] == "-" else total_ns


def _part_ns(whole: str, fraction: str | None, unit: str) -> int:
    """Nanoseconds of one number with its unit; the fraction is scaled as a float, as Go does."""
    value_ns = read_decimal(whole or "0") * _NS[unit]
    if fraction:
        digits = fraction[:_MAX_DIGITS]
        while int(digits) > _MAX_FRACTION:
            digits = digits[:-1]
        value_ns += int(int(digits) * (_NS[unit] / 10.0 ** len(digits)))
    return value_ns


def parse_range_ns(text: str) -> int:
    """Nanoseconds of a Prometheus duration, as `1w2d`, `1h30m` or `500ms`.

    Units run from the largest to the smallest, each at most once, in whole numbers.

    Raises:
        ValueError: the text is no Prometheus duration, or does not fit in 63 bits.
    """
    if text == "0":
        return 0
    match = _RANGE_DURATION.fullmatch(text)
    if not text or not match:
        raise ValueError(_range_problem(text))
    parts = zip(match.groups(), _RANGE_UNITS, strict=True)
    total_ns = sum(read_decimal(number) * _NS[unit] for number, unit in parts if number)
    if total_ns > MAX_NS:
        raise ValueError("duration out of range")
    return total_ns


def _range_problem(text: str) -> str:
    """The problem of a text that is no Prometheus duration, in the words of Loki."""
    if not text:
        return "empty duration string"
    for unit in _UNIT_RUN.findall(text) if text[0].isdigit() else ():
        if unit not in _RANGE_UNITS:
            return f"unknown unit {quote(unit)} in duration {quote(text)}"
    return f"not a valid duration string: {quote(text)}"


def parse_bytes(text: str) -> int:
    """Bytes of a size, as `20MB` (1000), `5 KiB` (1024), `1,024` or `3k`.

    Raises:
        ValueError: the text is no size, or does not fit in 64 bits.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"unhandled size {quote(text)}")
    digits, unit = match[1].replace(",", ""), match[2].lower()
    if unit not in _BYTES:
        raise ValueError(f"unhandled size name: {unit}")
    try:
        value = float(digits) * _BYTES[unit]
    except ValueError:
        raise ValueError(f'strconv.ParseFloat: parsing "{digits}": invalid syntax') from None
    if value >= _MAX_BYTES:
        raise ValueError(f"too large: {text}")
    return int(value)


def format_duration(value_ns: int) -> str:
    """A duration as Go prints it: `1h30m0s`, `1.5s`, `20µs`, `0s`."""
    sign, rest_ns = ("-" if value_ns < 0 else ""), abs(value_ns)
    if rest_ns < _NS["s"]:
        return sign + _below_a_second(rest_ns)
    minutes, rest_ns = divmod(rest_ns, _NS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = _decimal(rest_ns, _NS["s"]) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _below_a_second(value_ns: int) -> str:
    if value_ns == 0:
        return "0s"
    unit = next(unit for unit in ("ms", "µs", "ns") if value_ns >= _NS[unit])
    return _decimal(value_ns, _NS[unit]) + unit


def _decimal(value_ns: int, unit_ns: int) -> str:
    whole, rest = divmod(value_ns, unit_ns)
    if not rest:
        return str(whole)
    places = len(str(unit_ns)) - 1
    return f"{whole}.{rest:0{places}}".rstrip("0")


def format_range(value_ns: int) -> str:
    """A duration as Prometheus prints it: `5m`, `1d12h`, `2w`; Go's form below a millisecond.

    Years and weeks are used only where the whole duration is a multiple of them.
    """
    if value_ns < 0:
        return "-" + format_range(-value_ns)
    if value_ns == 0:
        return "0s"
    if value_ns % _NS["ms"]:
        return format_duration(value_ns)
    for unit in ("y", "w"):
        if value_ns % _NS[unit] == 0:
            return f"{value_ns // _NS[unit]}{unit}"
    return "".join(f"{count}{unit}" for count, unit in _split(value_ns) if count)


def _split(value_ns: int) -> list[tuple[int, str]]:
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, value_ns = divmod(value_ns, _NS[unit])
        parts.append((count, unit))
    return parts


def format_bytes(value_bytes: int) -> str:
    """A size without loss: as `go-humanize` rounds it where that is exact, else in whole units.

    `20MB`, `5.0kB`, `5KiB`, `1234B`. LogQL has no larger units than these.
    """
    rounded = _rounded(value_bytes)
    if parse_bytes(rounded) == value_bytes:
        return rounded
    for letter in "TGMK":
        for unit in (f"{letter}B".replace("K", "k"), f"{letter}iB"):
            size = _BYTES[unit.lower()]
            if value_bytes % size == 0:
                return f"{value_bytes // size}{unit}"
    return f"{value_bytes}B"


def _rounded(value_bytes: int) -> str:
    """A size in the largest decimal unit, with one place below ten."""
    units = ("B", "kB", "MB", "GB", "TB")
    power = min((len(str(value_bytes)) - 1) // 3, len(units) - 1)
    value = math.floor(value_bytes / 1000**power * 10 + 0.5) / 10
    places = 1 if value < _ONE_PLACE_BELOW and power else 0
    return f"{value:.{places}f}{units[power]}"
