"""Any Python value as one that JSON holds: never an error, secrets replaced."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date, time
from enum import Enum
from typing import TYPE_CHECKING, Any

from lokikit.fields import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from lokikit.redaction import SecretNames

MAX_DEPTH = 32
"""Of containers inside containers; what lies deeper becomes `TOO_DEEP`."""
MAX_NODES = 20_000
"""Of one value; a line of `MAX_LINE_BYTES` has no room for more."""
TOO_DEEP = "[too deep]"
TOO_MANY = "[too many values]"
CYCLE = "[cycle]"

_PLAIN = frozenset({str, int, bool})
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
"""The integers that orjson writes."""


def json_value(value: Any, secrets: SecretNames) -> Any:
    """The value in terms of dict, list, str, int, float, bool and None.

    Whatever else it is becomes a string. Cycles, depth and number of values are bounded.
    """
    return _Walk(secrets).convert(value, 0)


def class_name(kind: type) -> str:
    """The name of a class with its module, builtins without it."""
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def is_plain(value: Any) -> bool:
    """Whether orjson writes the value as `json_value` does: a text, a whole or finite number."""
    kind = type(value)
    return kind in _PLAIN or (kind is float and math.isfinite(value))


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


_LEAVES: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    ((bytes, bytearray, memoryview), lambda v: bytes(v).decode("utf-8", "backslashreplace")),
    ((date, time), lambda v: str(v.isoformat())),
    (BaseException, lambda v: f"{type(v).__name__}: {text(v)}"),
)
"""How what is neither scalar nor container is written, where `str()` is not it."""


class _Walk:
    """One pass over one value, with the state that bounds it."""

    def __init__(self, secrets: SecretNames) -> None:
        self._secrets = secrets
        self._nodes_left = MAX_NODES
        self._open: set[int] = set()

    def convert(self, value: Any, depth: int) -> Any:
        self._nodes_left -= 1
        if self._nodes_left < 0:
            return TOO_MANY
        try:
            if value is None or isinstance(value, (str, bool, int, float)):
                return _scalar(value)
            return self._object(value, depth)
        except Exception:  # noqa: BLE001 - a stranger's __iter__ or property may raise anything
            return text(value)

    def _object(self, value: Any, depth: int) -> Any:
        for kinds, write in _LEAVES:
            if isinstance(value, kinds):
                return write(value)
        if isinstance(value, Enum):
            return self.convert(value.value, depth + 1)
        if hasattr(value, "dtype") and hasattr(value, "tolist"):
            return self._numpy(value, depth)
        is_instance = dataclasses.is_dataclass(value) and not isinstance(value, type)
        if is_instance or isinstance(value, (Mapping, list, tuple, AbstractSet)):
            return self._container(value, depth)
        return text(value)

    def _numpy(self, value: Any, depth: int) -> Any:
        return text(value) if value.size > MAX_NODES else self.convert(value.tolist(), depth + 1)

    def _container(self, value: Any, depth: int) -> Any:
        if id(value) in self._open:
            return CYCLE
        if depth >= MAX_DEPTH:
            return TOO_DEEP
        self._open.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self._mapping(value.items(), depth)
            if isinstance(value, (list, tuple, AbstractSet)):
                return self._sequence(value, depth)
            names = (field.name for field in dataclasses.fields(value))
            return self._mapping([(name, getattr(value, name)) for name in names], depth)
        finally:
            self._open.discard(id(value))

    def _mapping(self, items: Any, depth: int) -> dict[str, Any]:
        converted: dict[str, Any] = {}
        for key, value in items:
            if self._nodes_left <= 0:
                converted[TOO_MANY] = True
                break
            name = self._name(key, converted)
            secret = name in self._secrets
            converted[name] = REDACTED if secret else self.convert(value, depth + 1)
        return converted

    def _sequence(self, values: Any, depth: int) -> list[Any]:
        converted = []
        for value in values:
            if self._nodes_left <= 0:
                converted.append(TOO_MANY)
                break
            converted.append(self.convert(value, depth + 1))
        return converted

    def _name(self, key: Any, taken: Mapping[str, Any]) -> str:
        name = key_name(key)
        while name in taken:
            name += "_"
        return name


def key_name(key: Any) -> str:
    """The key of a mapping as a string."""
    if isinstance(key, str):
        return clean(key)
    if isinstance(key, bytes):
        return key.decode("utf-8", "backslashreplace")
    return text(key.value if isinstance(key, Enum) else key)


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value.value if isinstance(value, Enum) else value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if _INT_MIN <= value <= _INT_MAX else text(int(value))
    if math.isfinite(value):
        return float(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
