"""Arguments of functions in the types that these want, as Go's templates check them."""

from __future__ import annotations

from typing import Any

from lokikit.store.logql.templates.constants import MAX_INTEGER
from lokikit.store.logql.templates.moments import Moment
from lokikit.store.logql.templates.nodes import Field, Literal, Operand
from lokikit.store.logql.templates.values import MISSING, TemplateProblem, type_name


def constant_of(literal: Literal, kind: str) -> Any:
    """A constant as the type that a function wants."""
    value = literal.value
    if kind == "any":
        return value
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "float64" and literal.is_number:
        return float(value)
    if kind == "int" and literal.is_number and value == int(value) and abs(value) <= MAX_INTEGER:
        return int(value)
    wanted = {"int": "integer", "float64": "float"}.get(kind, kind)
    raise TemplateProblem(f"expected {wanted}; found {literal.text}")


_CLASSES: dict[str, type] = {"string": str, "int": int, "float64": float, "time.Time": Moment}


def checked(value: Any, kind: str) -> Any:
    """The value, whose type a function wants."""
    if kind == "any":
        return None if value is MISSING else value
    if value is MISSING or value is None:
        raise TemplateProblem(f"invalid value; expected {kind}")
    if type(value) is not _CLASSES[kind]:
        raise TemplateProblem(f"wrong type for value; expected {kind}; got {type_name(value)}")
    return value


def check_count(name: str, given: int, wanted: int, *, least: bool) -> None:
    """Refuse a call with too few or too many arguments.

    Raises:
        TemplateProblem: it has.
    """
    if given < wanted or (given > wanted and not least):
        at_least = "at least " if least else ""
        raise TemplateProblem(
            f"wrong number of args for {name}: want {at_least}{wanted} got {given}"
        )


def not_a_function(operand: Operand) -> str:
    """The problem of arguments behind an operand that takes none."""
    if isinstance(operand, Field):
        return f"{operand.names[-1]} is not a method but has arguments"
    return f"can't give argument to non-function {operand}"
