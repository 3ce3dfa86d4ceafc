"""Any Python value as one that JSON holds: never an error, secrets replaced."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, time
from enum import Enum
from functools import lru_cache
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lokikit.fields import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lokikit.output.redaction import SecretNames

    Write = Callable[["_Walk", Any, int], Any]

MAX_DEPTH = 32
"""Of containers inside containers; what lies deeper becomes `TOO_DEEP`."""
MAX_NODES = 20_000
"""Of one value; a line of `MAX_LINE_BYTES` has no room for more."""
TOO_DEEP = "[too deep]"
TOO_MANY = "[too many values]"
CYCLE = "[cycle]"

_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
"""The integers that orjson writes."""
_MAX_TYPES = 1024
_NEVER_CHANGED = frozenset({bool, type(None), UUID})
_LEFT_AS_IS = _NEVER_CHANGED | {str, int}


def json_value(value: Any, secrets: SecretNames) -> Any:
    """The value in terms of dict, list, str, int, float, bool and None.

    Whatever else it is becomes a string. Cycles, depth and number of values are bounded.
    """
    return _Walk(secrets).convert(value, 0)


def json_values(values: Iterable[Any], secrets: SecretNames) -> list[Any]:
    """The same for several values, bounded together.

    Text and whole numbers stay as they are, also those that orjson refuses: its error is cheaper
    to wait for than to rule out.
    """
    walk = None
    converted = []
    for value in values:
        kind = type(value)
        if kind in _LEFT_AS_IS or (kind is float and isfinite(value)):
            converted.append(value)
        else:
            walk = walk or _Walk(secrets)
            converted.append(walk.convert(value, 0))
    return converted


def class_name(kind: type) -> str:
    """The name of a class with its module, builtins without it."""
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def text(value: Any) -> str:
    """`str(value)` as valid Unicode, also when `__str__` raises or gives lone surrogates."""
    try:
        return clean(str(value))
    except Exception as error:  # noqa: BLE001 - a stranger's __str__ may raise anything
        return f"[{type(value).__name__}: str() raised {type(error).__name__}]"


def clean(string: str) -> str:
    """The string with lone surrogates replaced, for they have no form in UTF-8."""
    try:
        string.encode()
    except UnicodeEncodeError:
        return string.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return str.__str__(string)


def key_name(key: Any) -> str:
    """The key of a mapping as a string."""
    if isinstance(key, str):
        return clean(key)
    if isinstance(key, bytes):
        return key.decode("utf-8", "backslashreplace")
    return text(key.value if isinstance(key, Enum) else key)


class _Walk:
    """One pass over one value, with the state that bounds it."""

    __slots__ = ("_is_secret", "_nodes_left", "_open")

    def __init__(self, secrets: SecretNames) -> None:
        self._is_secret = secrets.is_secret
        self._nodes_left = MAX_NODES
        self._open: set[int] = set()

    def convert(self, value: Any, depth: int) -> Any:
        self._nodes_left -= 1
        if self._nodes_left < 0:
            return TOO_MANY
        kind = type(value)
        if kind is str and value.isascii():
            return value
        try:
            return _write_of(kind)(self, value, depth)  # type: ignore[arg-type]  # types hash
        except Exception:  # noqa: BLE001 - a stranger's __iter__ or property may raise anything
            return text(value)

    def container(
        self, value: Any, depth: int, convert_all: Callable[[Any, int], Any], items: Any
    ) -> Any:
        """A container by `convert_all` of its items, unless it holds itself or lies too deep."""
        address = id(value)
        if address in self._open:
            return CYCLE
        if depth >= MAX_DEPTH:
            return TOO_DEEP
        self._open.add(address)
        try:
            return convert_all(items, depth + 1)
        finally:
            self._open.discard(address)

    def mapping(self, items: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        for key, value in items:
            if self._nodes_left <= 0:
                converted[TOO_MANY] = True
                break
            name = key if type(key) is str and key.isascii() else key_name(key)
            while name in converted:
                name += "_"
            if self._is_secret(name):
                converted[name] = REDACTED
            elif type(value) in _NEVER_CHANGED:
                self._nodes_left -= 1
                converted[name] = value
            else:
                converted[name] = self.convert(value, depth)
        return converted

    def sequence(self, values: Iterable[Any], depth: int) -> list[Any]:
        converted = []
        for value in values:
            if self._nodes_left <= 0:
                converted.append(TOO_MANY)
                break
            converted.append(self.convert(value, depth))
        return converted


def _write_mapping(walk: _Walk, value: Any, depth: int) -> Any:
    return walk.container(value, depth, walk.mapping, value.items())


def _write_sequence(walk: _Walk, value: Any, depth: int) -> Any:
    return walk.container(value, depth, walk.sequence, value)


def _write_dataclass(walk: _Walk, value: Any, depth: int) -> Any:
    items = ((one.name, getattr(value, one.name)) for one in dataclasses.fields(value))
    return walk.container(value, depth, walk.mapping, items)


def _write_numpy(walk: _Walk, value: Any, depth: int) -> Any:
    return text(value) if value.size > MAX_NODES else walk.convert(value.tolist(), depth + 1)


def _write_enum(walk: _Walk, value: Any, depth: int) -> Any:
    return walk.convert(value.value, depth + 1)


def _write_bytes(_walk: _Walk, value: Any, _depth: int) -> str:
    return bytes(value).decode("utf-8", "backslashreplace")


def _write_time(_walk: _Walk, value: Any, _depth: int) -> str:
    return str(value.isoformat())


def _write_exception(_walk: _Walk, value: Any, _depth: int) -> str:
    return f"{type(value).__name__}: {text(value)}"


def _write_string(_walk: _Walk, value: str, _depth: int) -> str:
    return value if type(value) is str and value.isascii() else clean(value)


def _write_itself(_walk: _Walk, value: Any, _depth: int) -> Any:
    return value


def _write_integer(_walk: _Walk, value: int, _depth: int) -> Any:
    return int(value) if _INT_MIN <= value <= _INT_MAX else text(int(value))


def _write_float(_walk: _Walk, value: float, _depth: int) -> Any:
    if isfinite(value):
        return float(value)
    return "NaN" if isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _write_text(_walk: _Walk, value: Any, _depth: int) -> str:
    return text(value)


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
    ((list, tuple, AbstractSet), _write_sequence),
)


@lru_cache(_MAX_TYPES)
def _write_of(kind: type) -> Write:
    """How values of a type are written."""
    for kinds, write in _WRITES:
        if issubclass(kind, kinds):
            return write
    if hasattr(kind, "dtype") and hasattr(kind, "tolist"):
        return _write_numpy
    if dataclasses.is_dataclass(kind):
        return _write_dataclass
    for kinds, write in _CONTAINER_WRITES:
        if issubclass(kind, kinds):
            return write
    return _write_text
