"""`eq`, `lt` and their like, `len`, `index` and `slice`, as Go's templates define them."""

from __future__ import annotations

from typing import Any

from lokikit.store.logql.templates.moments import Moment
from lokikit.store.logql.templates.printf import go_printf
from lokikit.store.logql.templates.values import MISSING, Labels, TemplateProblem, type_name


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, (float, str)):
        return type(value).__name__
    raise TemplateProblem("invalid type for comparison")


def equal(first: Any, *others: Any) -> bool:
    """True when the first equals one of the others.

    Raises:
        TemplateProblem: two kinds cannot be compared.
    """
    if not others:
        raise TemplateProblem("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None or a is MISSING or b is MISSING:
        return (a is None or a is MISSING) and (b is None or b is MISSING)
    if isinstance(a, (dict, list)) or isinstance(b, (dict, list)):
        if type(a) is not type(b):
            raise _incompatible(a, b)
        raise TemplateProblem(f"non-comparable type {go_printf('%s', [a])}: {type_name(b)}")
    if isinstance(a, Moment) or isinstance(b, Moment):
        if type(a) is not type(b):
            raise _incompatible(a, b)
        return bool(a == b)
    if _kind(a) != _kind(b):
        raise _incompatible(a, b)
    return bool(a == b)


def _incompatible(a: Any, b: Any) -> TemplateProblem:
    return TemplateProblem(f"incompatible types for comparison: {type_name(a)} and {type_name(b)}")


def less(a: Any, b: Any) -> bool:
    """True when `a` stands before `b`.

    Raises:
        TemplateProblem: the two cannot be ordered.
    """
    kind = _kind(a)
    if kind != _kind(b):
        raise _incompatible(a, b)
    if kind == "bool":
        raise TemplateProblem("invalid type for comparison")
    return bool(a.encode() < b.encode() if kind == "str" else a < b)


def length(value: Any) -> int:
    """The number of bytes of a text, of items of a list or map.

    Raises:
        TemplateProblem: the value has no length.
    """
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, (list, dict)):
        return len(value)
    if value is None or value is MISSING:
        raise TemplateProblem("reflect: call of reflect.Value.Type on zero Value")
    raise TemplateProblem(f"len of type {type_name(value)}")


def index(value: Any, *keys: Any) -> Any:
    """An item of an item.

    Raises:
        TemplateProblem: the item does not exist.
    """
    for is_inner, key in enumerate(keys):
        if isinstance(value, dict):
            if not isinstance(key, str):
                raise TemplateProblem(f"value has type {type_name(key)}; should be string")
            value = value.get(key, "" if isinstance(value, Labels) else None)
        elif isinstance(value, (str, list)):
            items = value.encode() if isinstance(value, str) else value
            at = _position(key, len(items), strict=not isinstance(value, str))
            if at == len(items):
                raise TemplateProblem("reflect: string index out of range")
            value = items[at]
        elif value is None or value is MISSING:
            raise TemplateProblem(f"index of {'nil pointer' if is_inner else 'untyped nil'}")
        else:
            raise TemplateProblem(f"can't index item of type {type_name(value)}")
    return value


def _position(key: Any, size: int, *, strict: bool) -> int:
    if not isinstance(key, int) or isinstance(key, bool):
        raise TemplateProblem(f"cannot index slice/array with type {type_name(key)}")
    if not 0 <= key <= size - strict:
        raise TemplateProblem(f"index out of range: {int(key)}")
    return int(key)


def cut(value: Any, *bounds: Any) -> Any:
    """A part of a text or list.

    Raises:
        TemplateProblem: the bounds lie outside.
    """
    if value is None or value is MISSING:
        raise TemplateProblem("slice of untyped nil")
    if not isinstance(value, (str, list)):
        raise TemplateProblem(f"can't slice item of type {type_name(value)}")
    if len(bounds) > 3:  # noqa: PLR2004 - begin, end, capacity
        raise TemplateProblem(f"too many slice indexes: {len(bounds)}")
    if len(bounds) == 3 and isinstance(value, str):  # noqa: PLR2004 - begin, end, capacity
        raise TemplateProblem("cannot 3-index slice a string")
    items: Any = value.encode() if isinstance(value, str) else value
    low = _position(bounds[0], len(items), strict=False) if bounds else 0
    high = _position(bounds[1], len(items), strict=False) if len(bounds) > 1 else len(items)
    if low > high:
        raise TemplateProblem(f"invalid slice index: {low} > {high}")
    part = items[low:high]
    return part.decode("utf-8", "replace") if isinstance(value, str) else part
