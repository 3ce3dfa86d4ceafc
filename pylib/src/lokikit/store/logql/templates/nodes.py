"""The syntax tree of a template; `at` is the place of a node, `str` its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Literal:
    """A constant; `is_number` marks those that take the type that a function wants."""

    value: Any
    text: str
    is_number: bool = False
    at: int = 0

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Dot:
    """`.`."""

    at: int = 0

    def __str__(self) -> str:
        return "."


@dataclass(frozen=True)
class Nil:
    """`nil`."""

    at: int = 0

    def __str__(self) -> str:
        return "nil"


@dataclass(frozen=True)
class Field:
    """`.a.b`."""

    names: tuple[str, ...]
    at: int = 0

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


@dataclass(frozen=True)
class Variable:
    """`$x.a`; `$` is the data of the template."""

    name: str
    fields: tuple[str, ...] = ()
    at: int = 0

    def __str__(self) -> str:
        return ".".join((self.name, *self.fields))


@dataclass(frozen=True)
class Function:
    """The name of a function."""

    name: str
    at: int = 0

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Chain:
    """`(…).a`."""

    operand: Operand
    fields: tuple[str, ...]
    at: int = 0

    def __str__(self) -> str:
        return ".".join((_in_command(self.operand), *self.fields))


@dataclass(frozen=True)
class Command:
    """An operand, or a function with its arguments."""

    operands: tuple[Operand, ...]
    at: int = 0

    def __str__(self) -> str:
        return " ".join(map(_in_command, self.operands))


@dataclass(frozen=True)
class Pipe:
    """Commands in a row; the first one's declarations, `$x := …` or `$x = …`."""

    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    declares: bool = False
    at: int = 0

    def __str__(self) -> str:
        sign = " := " if self.declares else " = "
        declared = ", ".join(self.variables) + sign if self.variables else ""
        return declared + " | ".join(map(str, self.commands))


Operand = Literal | Dot | Nil | Field | Variable | Function | Chain | Pipe


def _in_command(operand: Operand) -> str:
    return f"({operand})" if isinstance(operand, Pipe) else str(operand)


@dataclass(frozen=True)
class Text:
    """Text outside of actions."""

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
    at: int = 0

    def __str__(self) -> str:
        data = "" if self.pipe is None else f" {self.pipe}"
        return f'{{{{template "{self.name}"{data}}}}}'


Node = Text | Action | Branch | Jump | Call
