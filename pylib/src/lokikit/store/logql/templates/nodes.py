"""The syntax tree of a template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Literal:
    """A constant; `is_number` marks those that take the type that a function wants."""

    value: Any
    text: str
    is_number: bool = False


@dataclass(frozen=True)
class Dot:
    """`.`."""


@dataclass(frozen=True)
class Nil:
    """`nil`."""


@dataclass(frozen=True)
class Field:
    """`.a.b`."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """`$x.a`; `$` is the data of the template."""

    name: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """The name of a function."""

    name: str


@dataclass(frozen=True)
class Chain:
    """`(…).a`."""

    operand: Operand
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """An operand, or a function with its arguments."""

    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Pipe:
    """Commands in a row; the first one's declarations, `$x := …` or `$x = …`."""

    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    declares: bool = False


Operand = Literal | Dot | Nil | Field | Variable | Function | Chain | Pipe


@dataclass(frozen=True)
class Text:
    """What stands outside of actions."""

    text: str


@dataclass(frozen=True)
class Action:
    """`{{ … }}`: writes the value of a pipeline, unless it only declares a variable."""

    pipe: Pipe


@dataclass(frozen=True)
class Branch:
    """`{{if}}`, `{{with}}` and `{{range}}`."""

    kind: str
    pipe: Pipe
    body: tuple[Node, ...]
    other: tuple[Node, ...]


@dataclass(frozen=True)
class Jump:
    """`{{break}}` and `{{continue}}`."""

    kind: str


@dataclass(frozen=True)
class Call:
    """`{{template "name" …}}`."""

    name: str
    pipe: Pipe | None


Node = Text | Action | Branch | Jump | Call
