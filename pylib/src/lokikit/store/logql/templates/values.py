"""Values of templates: what Go's types are here, when they count as true, how they print.

A Go `int` is an int, an `int64` an `Int64`, a `float64` a float, `nil` None, a
`map[string]interface{}` a dict, a slice a list, a `time.Time` a `Moment`.
"""

from __future__ import annotations

import math
from typing import Any

from lokikit.store.logql.quoting import write_short
from lokikit.store.logql.templates.moments import Moment


class TemplateProblem(Exception):  # noqa: N818 - it becomes a label, never an answer
    """Raised when a template fails on a line."""


class Int64(int):
    """A Go `int64`, which functions that want an `int` refuse."""


class Labels(dict[str, str]):
    """The labels of a line, a map in which a missing key is the empty text."""


class Missing:
    """What a field of a missing key is: no value at all."""


MISSING = Missing()


def type_name(value: Any) -> str:
    """The name of a value's Go type."""
    names = {
        str: "string",
        bool: "bool",
        int: "int",
        Int64: "int64",
        float: "float64",
        dict: "map[string]interface {}",
        Labels: "map[string]string",
        list: "[]interface {}",
        Moment: "time.Time",
    }
    return names.get(type(value), "<nil>")


def is_true(value: Any) -> bool:
    """What `if` makes of a value."""
    if isinstance(value, (str, list, dict)):
        return len(value) > 0
    if value is None or value is MISSING:
        return False
    return isinstance(value, Moment) or bool(value)


def print_value(value: Any) -> str:
    """A value as an action writes it."""
    if value is None or value is MISSING:
        return "<no value>"
    return format_value(value)


def format_value(value: Any) -> str:  # noqa: PLR0911 - one answer for each type
    """A value as `%v` prints it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return format_float(value)
    if isinstance(value, dict):
        pairs = (f"{key}:{format_value(value[key])}" for key in sorted(value))
        return f"map[{' '.join(pairs)}]"
    if isinstance(value, list):
        return f"[{' '.join(map(format_value, value))}]"
    return "<nil>" if value is None or value is MISSING else str(value)


def format_float(value: float) -> str:
    """The shortest decimal form, with an exponent for all but sizes that people write out."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return write_short(value)
