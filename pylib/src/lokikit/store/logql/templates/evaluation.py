"""One run of a template on a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lokikit.store.logql.templates.arguments import (
    check_count,
    checked,
    constant_of,
    not_a_function,
)
from lokikit.store.logql.templates.fields import items_of, read_fields
from lokikit.store.logql.templates.functions import FUNCTIONS
from lokikit.store.logql.templates.moments import Moment
from lokikit.store.logql.templates.nodes import (
    Action,
    Branch,
    Call,
    Chain,
    Command,
    Dot,
    Field,
    Function,
    Jump,
    Literal,
    Nil,
    Node,
    Operand,
    Pipe,
    Text,
    Variable,
)
from lokikit.store.logql.templates.values import (
    MISSING,
    Labels,
    TemplateProblem,
    is_true,
    print_value,
)

if TYPE_CHECKING:
    from lokikit.store.logql.templates.parser import TemplateTree

_MAX_OUTPUT_CHARS = 4 << 20
_MAX_CALLS = 100
_MAX_STEPS = 100_000
"""Nodes that a template may run for one line, in a tenth of a second."""
_NO_VALUE = object()


class _Break(Exception):  # noqa: N818 - a jump, no error
    """`{{break}}`."""


class _Continue(Exception):  # noqa: N818 - a jump, no error
    """`{{continue}}`."""


class TemplateRun:
    """One run: output, variables, and the values of functions that know the line."""

    def __init__(
        self,
        tree: TemplateTree,
        name: str,
        labels: Labels,
        line: str,
        time_ns: int,
    ) -> None:
        self._tree, self._root, self._name = tree, name, name
        self._here: Any = None
        self._data = labels
        self._line, self._time_ns = line, time_ns
        self._variables: list[tuple[str, Any]] = [("$", labels)]
        self._parts: list[str] = []
        self._size = self._calls = self._steps = 0

    def render(self) -> str:
        """The output.

        Raises:
            TemplateProblem: the template fails; worded as Go words it.
        """
        try:
            self._walk(self._tree.body, self._data)
        except TemplateProblem as problem:
            raise TemplateProblem(self._placed(str(problem))) from problem
        return "".join(self._parts)

    def _placed(self, problem: str) -> str:
        """The problem with its place in the template."""
        here = self._here
        before = self._tree.text[: here.at if here else 0]
        row, column = before.count("\n") + 1, len(before[before.rfind("\n") + 1 :].encode())
        place = f"{self._root}:{row}:{column}"
        return f'template: {place}: executing "{self._name}" at <{here}>: {problem}'

    def _write(self, text: str) -> None:
        self._size += len(text)
        if self._size > _MAX_OUTPUT_CHARS:
            raise TemplateProblem("template: output is too long")
        self._parts.append(text)

    def _walk(self, nodes: tuple[Node, ...], dot: Any) -> None:
        self._steps += len(nodes) + 1
        if self._steps > _MAX_STEPS:
            raise TemplateProblem("template: too many steps")
        for node in nodes:
            if isinstance(node, Text):
                self._write(node.text)
            elif isinstance(node, Action):
                value = self._pipe(node.pipe, dot)
                if not node.pipe.variables:
                    self._write(print_value(value))
            elif isinstance(node, Branch):
                self._branch(node, dot)
            elif isinstance(node, Jump):
                raise _Break if node.kind == "break" else _Continue
            else:
                self._template(node, dot)

    def _branch(self, node: Branch, dot: Any) -> None:
        scope = len(self._variables)
        if node.kind == "range":
            self._range(node, dot)
        else:
            value = self._pipe(node.pipe, dot)
            if is_true(value):
                self._walk(node.body, value if node.kind == "with" else dot)
            else:
                self._walk(node.other, dot)
        del self._variables[scope:]

    def _range(self, node: Branch, dot: Any) -> None:
        declared = node.pipe.variables
        pipe = Pipe(node.pipe.commands)
        is_empty = True
        for key, value in items_of(self._pipe(pipe, dot)):
            is_empty = False
            scope = len(self._variables)
            bindings = zip(declared, (value,) if len(declared) == 1 else (key, value), strict=False)
            for name, bound in bindings:
                self._bind(name, bound, declares=node.pipe.declares)
            try:
                self._walk(node.body, value)
            except _Continue:
                pass
            except _Break:
                break
            finally:
                del self._variables[scope:]
        if is_empty:
            self._walk(node.other, dot)

    def _template(self, node: Call, dot: Any) -> None:
        self._here = node
        body = self._tree.definitions.get(node.name)
        if body is None:
            raise TemplateProblem(f'template "{node.name}" not defined')
        self._calls += 1
        if self._calls > _MAX_CALLS:
            raise TemplateProblem("template: templates call each other too deeply")
        data = MISSING if node.pipe is None else self._pipe(node.pipe, dot)
        outer, self._variables = self._variables, [("$", data)]
        caller, self._name = self._name, node.name
        self._walk(body, data)
        self._variables, self._name = outer, caller
        self._calls -= 1

    def _bind(self, name: str, value: Any, *, declares: bool) -> None:
        if declares:
            self._variables.append((name, value))
            return
        for number in range(len(self._variables) - 1, -1, -1):
            if self._variables[number][0] == name:
                self._variables[number] = (name, value)
                return

    def _pipe(self, pipe: Pipe, dot: Any) -> Any:
        value: Any = _NO_VALUE
        for command in pipe.commands:
            value = self._command(command, dot, value)
        for name in pipe.variables:
            self._bind(name, value, declares=pipe.declares)
        return value

    def _command(self, command: Command, dot: Any, final: Any) -> Any:
        first = command.operands[0]
        if isinstance(first, Function):
            return self._function(first, command, dot, final)
        if isinstance(first, (Field, Chain, Variable)) and _takes_arguments(first):
            value = self._method(first, command.operands[1:], dot, final)
            if value is not _NO_VALUE:
                return value
        if len(command.operands) > 1 or final is not _NO_VALUE:
            self._here = first
            raise TemplateProblem(not_a_function(first))
        if isinstance(first, (Nil, Literal, Dot)):
            self._here = first
        if isinstance(first, Nil):
            raise TemplateProblem("nil is not a command")
        return self._operand(first, dot)

    def _operand(self, operand: Operand, dot: Any) -> Any:  # noqa: PLR0911 - one case for each node
        if isinstance(operand, (Field, Variable, Chain)):
            self._here = operand
        if isinstance(operand, Field):
            return read_fields(dot, operand.names)
        if isinstance(operand, Literal):
            return operand.value
        if isinstance(operand, Variable):
            return read_fields(self._variable(operand.name), operand.fields)
        if isinstance(operand, Pipe):
            return self._pipe(operand, dot)
        if isinstance(operand, Function):
            return self._function(operand, Command((operand,), operand.at), dot, _NO_VALUE)
        if isinstance(operand, Chain):
            return read_fields(self._operand(operand.operand, dot), operand.fields)
        return dot if isinstance(operand, Dot) else None

    def _method(
        self, first: Field | Chain | Variable, arguments: tuple[Operand, ...], dot: Any, final: Any
    ) -> Any:
        """The answer of a time's `Format`, which alone takes an argument."""
        names = first.names if isinstance(first, Field) else first.fields
        if names[-1] != "Format":
            return _NO_VALUE
        if isinstance(first, Field):
            receiver = read_fields(dot, names[:-1])
        elif isinstance(first, Variable):
            receiver = read_fields(self._variable(first.name), names[:-1])
        else:
            receiver = read_fields(self._operand(first.operand, dot), names[:-1])
        values = [self._argument(one, "string", dot) for one in arguments]
        values += [] if final is _NO_VALUE else [checked(final, "string")]
        if not isinstance(receiver, Moment) or len(values) != 1:
            return _NO_VALUE
        return receiver.format(values[0])

    def _variable(self, name: str) -> Any:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        raise TemplateProblem(f"undefined variable: {name}")

    def _function(self, function: Function, command: Command, dot: Any, final: Any) -> Any:
        name, arguments = function.name, command.operands[1:]
        self._here = function
        if name in {"and", "or"}:
            return self._decide(name, arguments, dot, final)
        if name in {"__line__", "__timestamp__"}:
            check_count(name, len(arguments) + (final is not _NO_VALUE), 0, least=False)
            return self._line if name == "__line__" else Moment(self._time_ns)
        signature = FUNCTIONS[name]
        count = len(arguments) + (final is not _NO_VALUE)
        wanted = len(signature.parameters)
        check_count(name, count, wanted, least=signature.rest is not None)
        types = [*signature.parameters, *[signature.rest or ""] * (count - wanted)]
        values = [
            self._argument(operand, kind, dot)
            for operand, kind in zip(arguments, types, strict=False)
        ]
        if final is not _NO_VALUE:
            values.append(checked(final, types[-1]))
        try:
            value = signature.call(*values)
        except (TemplateProblem, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            self._here = command
            raise TemplateProblem(f"error calling {name}: {error}") from error
        if isinstance(value, str) and len(value) > _MAX_OUTPUT_CHARS:
            self._here = command
            raise TemplateProblem(f"error calling {name}: its text is too long")
        return value

    def _decide(self, name: str, arguments: tuple[Operand, ...], dot: Any, final: Any) -> Any:
        value: Any = _NO_VALUE
        for operand in arguments:
            value = self._argument(operand, "any", dot)
            if is_true(value) == (name == "or"):
                return value
        if final is not _NO_VALUE:
            return final
        if value is _NO_VALUE:
            check_count(name, 0, 1, least=True)
        return value

    def _argument(self, operand: Operand, kind: str, dot: Any) -> Any:
        self._here = operand
        if isinstance(operand, Literal):
            return constant_of(operand, kind)
        if isinstance(operand, Nil):
            if kind != "any":
                raise TemplateProblem(f"cannot assign nil to {kind}")
            return None
        return checked(self._operand(operand, dot), kind)


def _takes_arguments(operand: Field | Chain | Variable) -> bool:
    return bool(operand.names if isinstance(operand, Field) else operand.fields)
