"""The stored fields of objects, read without running any code of theirs.

A property may ask a database; so fields are read from the instance's dictionary and from slots.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lokikit.output.redaction import SecretNames

    Fields = Iterable[tuple[str, Any]]

_MAX_LOOKED_AT = 500
"""Values inside an object that are searched for a secret."""
_MAX_TYPES = 1024
_MAPPING_METHODS = ("keys", "items", "__getitem__", "__len__")
_MISSING = object()
_NO_FIELDS = frozenset({"__dict__", "__weakref__"})
_NO_DICT: Mapping[str, Any] = {}


def field_reader(kind: type) -> Callable[[Any], Fields] | None:
    """Return the reader of the fields that a class declares, `None` for a class without fields.

    Fields with `repr=False` are left out, because their author hides them.
    """
    if issubclass(kind, types.SimpleNamespace):
        return stored_fields
    if hasattr(kind, "__pydantic_fields__") or _is_pydantic_1(kind):
        return _pydantic_fields
    names = _declared_names(kind)
    return None if names is None else lambda value: _read(value, names)


def stored_fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the attributes in the instance's dictionary and slots."""
    yield from list(_instance_dict(value).items())
    for name in _slots(type(value)):  # type: ignore[arg-type]  # types hash
        if (one := _slot_value(value, name)) is not _MISSING:
            yield name, one


def looks_like_mapping(kind: type) -> bool:
    """Return True for an object with a mapping's methods, as headers have; False for tables."""
    return not hasattr(kind, "__array__") and all(
        hasattr(kind, method) for method in _MAPPING_METHODS
    )


def items_of_pairs(value: Any) -> Fields:
    """Return the items of an object with a mapping's methods."""
    items: Fields = value.items()
    return items


def shows_secret(value: Any, shown: str, secrets: SecretNames) -> bool:
    """Return True when the text of an object shows a secret of it or of an object inside it."""
    return any(
        secrets.hides(name, one) and _is_shown(one, shown)
        for name, one in islice(_all_fields(value), _MAX_LOOKED_AT)
    )


def _is_shown(secret: Any, shown: str) -> bool:
    if isinstance(secret, str):
        return bool(secret) and (secret in shown or repr(secret)[1:-1] in shown)
    if isinstance(secret, bytes):
        return bool(secret) and repr(secret)[2:-1] in shown
    return isinstance(secret, (int, float, list, tuple, dict)) and repr(secret) in shown


def _all_fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the named values inside a value, the nearest first."""
    seen = {id(value)}
    waiting = [value]
    for one in waiting:  # it grows while it is read, until the caller has enough
        for name, inner in islice(_inner_fields(one), _MAX_LOOKED_AT):
            yield name, inner
            if id(inner) not in seen and not isinstance(inner, (str, bytes, int, float, type)):
                seen.add(id(inner))
                waiting.append(inner)


def _inner_fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        items = list(islice(value.items(), _MAX_LOOKED_AT))
        return ((name if isinstance(name, str) else "", one) for name, one in items)
    if isinstance(value, (list, tuple, set, frozenset)):
        return (("", one) for one in list(islice(value, _MAX_LOOKED_AT)))
    return stored_fields(value)


def _instance_dict(value: Any) -> Mapping[str, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return _NO_DICT
    return found if isinstance(found, dict) else _NO_DICT


@lru_cache(_MAX_TYPES)
def _slots(kind: Hashable) -> Mapping[str, Any]:
    """Return name -> slot of a class; the slot of the nearest class wins."""
    found: dict[str, Any] = {}
    for base in kind.__mro__:  # type: ignore[attr-defined]  # a type, which is hashable
        for name, member in vars(base).items():
            if isinstance(member, types.MemberDescriptorType) and name not in _NO_FIELDS:
                found.setdefault(name, member)
    return found


def _is_pydantic_1(kind: type) -> bool:
    return hasattr(kind, "__fields__") and hasattr(kind, "__fields_set__")


def _pydantic_fields(value: Any) -> Fields:
    kind = type(value)
    declared = getattr(kind, "__pydantic_fields__", None) or getattr(kind, "__fields__", {})
    extra = _slot_value(value, "__pydantic_extra__")
    further = extra.items() if isinstance(extra, dict) else ()
    for name, one in chain(list(_instance_dict(value).items()), further):
        field = declared.get(name)
        hidden = not getattr(getattr(field, "field_info", field), "repr", True)
        if not hidden and not name.startswith("_"):
            yield name, one


def _declared_names(kind: type) -> tuple[str, ...] | None:
    if dataclasses.is_dataclass(kind):
        return tuple(one.name for one in dataclasses.fields(kind) if one.repr)
    if isinstance(attributes := getattr(kind, "__attrs_attrs__", None), tuple):
        return tuple(one.name for one in attributes if one.repr)
    if isinstance(names := getattr(kind, "__struct_fields__", None), tuple):  # msgspec
        return names
    return None


def _read(value: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name in names:
        if (one := _stored(value, name)) is not _MISSING:
            yield name, one


def _stored(value: Any, name: str) -> Any:
    """Return the value of a field, or its default in the class; no property is evaluated."""
    found = _instance_dict(value).get(name, _MISSING)
    if found is _MISSING:
        found = _slot_value(value, name)
    if found is _MISSING:
        bases = (vars(base) for base in type(value).__mro__)
        found = next((held[name] for held in bases if name in held), _MISSING)
        return _MISSING if hasattr(type(found), "__get__") else found
    return found


def _slot_value(value: Any, name: str) -> Any:
    slot = _slots(type(value)).get(name)  # type: ignore[arg-type]  # types hash
    try:
        return _MISSING if slot is None else slot.__get__(value)
    except AttributeError:
        return _MISSING
