"""Fields and items of values: labels, members of decoded JSON, and what a time knows of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lokikit.store.logql.templates.moments import DAYS, MONTHS, NS, Moment
from lokikit.store.logql.templates.values import (
    MISSING,
    Int64,
    Labels,
    TemplateProblem,
    print_value,
    type_name,
)

_MOMENT_FIELDS: dict[str, Callable[[Moment], Any]] = {
    "Unix": lambda at: Int64(at.time_ns // NS),
    "UnixMilli": lambda at: Int64(at.time_ns // 1_000_000),
    "UnixMicro": lambda at: Int64(at.time_ns // 1_000),
    "UnixNano": lambda at: Int64(at.time_ns),
    "Year": lambda at: at.year(),
    "Month": lambda at: MONTHS[at.local().month - 1],
    "Day": lambda at: at.local().day,
    "Hour": lambda at: at.local().hour,
    "Minute": lambda at: at.local().minute,
    "Second": lambda at: at.local().second,
    "Nanosecond": lambda at: at.time_ns % NS,
    "Weekday": lambda at: DAYS[at.local().weekday()],
    "YearDay": lambda at: at.local().timetuple().tm_yday,
    "UTC": lambda at: Moment(at.time_ns),
    "String": str,
}


def read_fields(value: Any, names: Sequence[str]) -> Any:
    """The value at the end of a chain of fields.

    Raises:
        TemplateProblem: a value on the way lacks its field.
    """
    is_decoded = False
    for name in names:
        is_decoded, value = type(value) is dict, _read_field(value, name, is_decoded=is_decoded)
    return value


def _read_field(value: Any, name: str, *, is_decoded: bool) -> Any:
    if isinstance(value, dict):
        return value.get(name, "" if isinstance(value, Labels) else None)
    if isinstance(value, Moment) and name in _MOMENT_FIELDS:
        return _MOMENT_FIELDS[name](value)
    if value is MISSING:
        return MISSING
    if value is None:
        raise TemplateProblem(f"nil pointer evaluating interface {{}}.{name}")
    kind = "interface {}" if is_decoded else type_name(value)
    raise TemplateProblem(f"can't evaluate field {name} in type {kind}")


def items_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """Keys and values that `range` goes through; numbers count from 0.

    Raises:
        TemplateProblem: the value has no items.
    """
    if value is None or value is MISSING:
        return
    if isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from ((key, value[key]) for key in sorted(value))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from ((number, number) for number in range(value))
    else:
        raise TemplateProblem(f"range can't iterate over {print_value(value)}")
