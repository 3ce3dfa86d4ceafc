"""How each type of value is written as JSON."""

from __future__ import annotations

import types
from collections import UserString, deque
from collections.abc import Callable, Iterable, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta
from enum import Enum
from functools import lru_cache
from math import isfinite, isnan
from numbers import Number
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lokikit.output.numpy_values import iso_text
from lokikit.output.object_fields import (
    field_reader,
    items_of_pairs,
    looks_like_mapping,
    shows_secret,
    stored_fields,
)
from lokikit.output.safe_text import clean, key_name, text

if TYPE_CHECKING:
    from lokikit.output.json_values import Walk

    Write = Callable[[Walk, Any, int], Any]

_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
"""The integers that orjson writes."""
_MAX_TYPES = 1024
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.MethodType)


def _write_mapping(walk: Walk, value: Any, depth: int) -> Any:
    return walk.container(value, depth, walk.mapping, value.items())


def _write_sequence(walk: Walk, value: Any, depth: int) -> Any:
    return walk.container(value, depth, walk.sequence, value)


def _write_pairs(walk: Walk, value: Any, depth: int) -> Any:
    return walk.container(value, depth, walk.mapping, items_of_pairs(value))


def _write_tuple(walk: Walk, value: Any, depth: int) -> Any:
    """A pair of a name and its value may stand alone; a list of two names may, too."""
    if walk.is_secret_pair(value):
        return [key_name(value[0]), walk.redact()]
    return _write_sequence(walk, value, depth)


def _write_named_tuple(walk: Walk, value: Any, depth: int) -> Any:
    converted = _write_tuple(walk, value, depth)
    if isinstance(converted, list):
        for place, (name, one) in enumerate(zip(value._fields, value, strict=False)):
            if place < len(converted) and walk.secrets.hides(str(name), one):
                converted[place] = walk.redact()
    return converted


def _write_row(walk: Walk, value: Any, depth: int) -> Any:
    """A row of a database, which is a sequence of values with names."""
    items = [(name, value[name]) for name in value.keys()]  # noqa: SIM118 - it iterates over values
    return walk.container(value, depth, walk.mapping, items)


def _write_numpy(walk: Walk, value: Any, depth: int) -> Any:
    if value.size > walk.max_nodes:
        return walk.mask(text(value))
    kind = getattr(value.dtype, "kind", "")
    if kind and kind in "mM":
        return _write_sequence(walk, value, depth) if value.ndim else iso_text(value)
    names = getattr(value.dtype, "names", None)
    if names and value.ndim:
        return _write_sequence(walk, value, depth)
    if names:
        items = zip(names, value.tolist(), strict=True)
        return walk.container(value, depth, walk.mapping, items)
    return walk.convert(value.tolist(), depth + 1)


def _write_enum(walk: Walk, value: Any, depth: int) -> Any:
    return walk.convert(value.value, depth + 1)


def _write_bytes(_walk: Walk, value: Any, _depth: int) -> str:
    return bytes(value).decode("utf-8", "backslashreplace")


def _write_time(_walk: Walk, value: Any, _depth: int) -> str:
    return str(value.isoformat())


def _write_exception(walk: Walk, value: Any, _depth: int) -> str:
    return walk.mask(f"{type(value).__name__}: {text(value)}")


def _write_string(_walk: Walk, value: str, _depth: int) -> str:
    return value if type(value) is str and value.isascii() else clean(value)


def _write_itself(_walk: Walk, value: Any, _depth: int) -> Any:
    return value


def _write_integer(_walk: Walk, value: int, _depth: int) -> Any:
    return int(value) if _INT_MIN <= value <= _INT_MAX else text(int(value))


def _write_float(_walk: Walk, value: float, _depth: int) -> Any:
    if isfinite(value):
        return float(value)
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _write_text(_walk: Walk, value: Any, _depth: int) -> str:
    return text(value)


def _write_object(walk: Walk, value: Any, depth: int) -> Any:
    """Its text, unless that shows a secret: then its fields."""
    shown = text(value)
    if shows_secret(value, shown, walk.secrets):
        return walk.container(value, depth, walk.mapping, stored_fields(value))
    return walk.mask(shown)


def _fields_writer(read: Callable[[Any], Iterable[tuple[str, Any]]]) -> Write:
    def write(walk: Walk, value: Any, depth: int) -> Any:
        return walk.container(value, depth, walk.mapping, read(value))

    return write


_WRITES: tuple[tuple[Any, Write], ...] = (
    ((bool, type(None)), _write_itself),
    (Enum, _write_enum),
    (str, _write_string),
    (int, _write_integer),
    (float, _write_float),
    ((bytes, bytearray, memoryview), _write_bytes),
    ((date, time), _write_time),
    (BaseException, _write_exception),
)
_CONTAINER_WRITES: tuple[tuple[Any, Write], ...] = (
    (Mapping, _write_mapping),
    ((UserString, range), _write_text),
    (tuple, _write_tuple),
    ((list, AbstractSet, deque, ValuesView, Sequence), _write_sequence),
    ((Number, PurePath, UUID, timedelta, type, *_CODE), _write_text),
)


@lru_cache(_MAX_TYPES)
def write_of(kind: type) -> Write:
    """How values of a type are written."""
    return (
        _listed(kind, _WRITES)
        or _write_of_fields(kind)
        or _listed(kind, _CONTAINER_WRITES)
        or (
            _write_pairs
            if looks_like_mapping(kind)
            else _write_text
            if _shows_no_field(kind)
            else _write_object
        )
    )


def _listed(kind: type, writes: tuple[tuple[Any, Write], ...]) -> Write | None:
    return next((write for kinds, write in writes if issubclass(kind, kinds)), None)


def _write_of_fields(kind: type) -> Write | None:
    if hasattr(kind, "dtype") and hasattr(kind, "tolist"):
        return _write_numpy
    if read := field_reader(kind):
        return _fields_writer(read)
    if not issubclass(kind, Sequence):
        return None
    if hasattr(kind, "_fields"):
        return _write_named_tuple
    return _write_row if hasattr(kind, "keys") else None


def _shows_no_field(kind: Any) -> bool:
    return kind.__repr__ is object.__repr__ and kind.__str__ is object.__str__
