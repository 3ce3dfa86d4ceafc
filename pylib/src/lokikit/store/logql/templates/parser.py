"""Reads the text of a template into its tree."""

from __future__ import annotations

from functools import lru_cache

from lokikit.store.errors import QueryError
from lokikit.store.logql.templates.constants import read_char, read_number, read_string
from lokikit.store.logql.templates.function_names import FUNCTION_NAMES
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
from lokikit.store.logql.templates.token_cursor import END, TokenCursor

Body = tuple[Node, ...]

_MAX_PARSED = 500
_MAX_NESTING = 100


class TemplateTree:
    """A parsed template: its body, and the bodies of `define` by name."""

    def __init__(self, text: str) -> None:
        self.definitions: dict[str, Body] = {}
        self.text = text
        self._tokens = TokenCursor(text)
        self._depth = 0
        self._in_range = 0
        self._variables = ["$"]
        self.body, closing = self._nodes(())
        if closing:
            raise QueryError(f"template: unexpected {{{{{closing}}}}}")

    def _nodes(self, closers: tuple[str, ...]) -> tuple[Body, str]:
        """The nodes up to one of the closing words, and that word; "" at the end of the text."""
        nodes: list[Node] = []
        while (token := self._tokens.take()) is not END:
            if token.kind == "text":
                nodes.append(Text(token.text))
                continue
            keyword = self._tokens.peek_solid()
            if keyword.kind == "keyword" and keyword.text in {"end", "else"}:
                if keyword.text not in closers:
                    raise QueryError(f"template: unexpected {{{{{keyword.text}}}}}")
                self._tokens.take()
                return tuple(nodes), keyword.text
            node = self._action()
            if node is not None:
                nodes.append(node)
        if closers:
            raise QueryError("template: unexpected EOF")
        return tuple(nodes), ""

    def _action(self) -> Node | None:
        token = self._tokens.peek_solid()
        if token.kind != "keyword":
            return Action(self._pipeline("command", "close"))
        self._tokens.take()
        if token.text in {"if", "with", "range"}:
            return self._branch(token.text)
        if token.text in {"break", "continue"}:
            if not self._in_range:
                raise QueryError(f"template: {{{{{token.text}}}}} outside {{{{range}}}}")
            self._tokens.expect("close", token.text)
            return Jump(token.text)
        if token.text == "define":
            self._define()
            return None
        return self._call(blocks=token.text == "block")

    def _branch(self, kind: str) -> Branch:
        self._deepen()
        scope = len(self._variables)
        pipe = self._pipeline(kind, "close")
        self._in_range += kind == "range"
        body, closing = self._nodes(("end", "else"))
        self._in_range -= kind == "range"
        other: Body = ()
        if closing == "else":
            other = self._else(kind)
        else:
            self._tokens.expect("close", "end")
        del self._variables[scope:]
        self._depth -= 1
        return Branch(kind, pipe, body, other)

    def _else(self, kind: str) -> Body:
        token = self._tokens.peek_solid()
        if token.kind == "keyword" and token.text == kind and kind in {"if", "with"}:
            self._tokens.take()
            return (self._branch(kind),)
        self._tokens.expect("close", "else")
        body, _ = self._nodes(("end",))
        self._tokens.expect("close", "end")
        return body

    def _deepen(self) -> None:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise QueryError("template: nested too deeply")

    def _define(self) -> None:
        name = read_string(self._tokens.take_solid().text)
        self._tokens.expect("close", "define clause")
        self.definitions[name] = self._own_body()

    def _own_body(self) -> Body:
        outer, self._variables = self._variables, ["$"]
        in_range, self._in_range = self._in_range, 0
        body, _ = self._nodes(("end",))
        self._tokens.expect("close", "end")
        self._variables, self._in_range = outer, in_range
        return body

    def _call(self, *, blocks: bool) -> Call:
        token = self._tokens.take_solid()
        if token.kind not in {"string", "raw"}:
            raise QueryError(f"template: unexpected {token.text!r} in template clause")
        name = read_string(token.text)
        if self._tokens.peek_solid().kind == "close":
            self._tokens.take()
            pipe = None
        else:
            pipe = self._pipeline("template clause", "close")
        if blocks:
            body = self._own_body()
            self.definitions.setdefault(name, body)
        return Call(name, pipe, token.at)

    def _pipeline(self, where: str, closer: str) -> Pipe:
        self._deepen()
        at = self._tokens.peek_solid().at
        variables, declares = self._declarations(where)
        commands: list[Command] = []
        while True:
            token = self._tokens.peek_solid()
            if token.kind == "close" or token.text == ")":
                self._tokens.take()
                if (token.kind if token.kind == "close" else ")") != closer:
                    raise QueryError(f"template: unexpected {token.text!r} in {where}")
                break
            commands.append(self._command())
        self._depth -= 1
        self._check(commands, where)
        if declares:
            self._variables.extend(variables)
        return Pipe(tuple(commands), variables, declares, at)

    def _check(self, commands: list[Command], where: str) -> None:
        if not commands:
            raise QueryError(f"template: missing value for {where}")
        for number, command in enumerate(commands[1:], 2):
            if isinstance(command.operands[0], (Literal, Dot, Nil)):
                raise QueryError(f"template: non executable command in pipeline stage {number}")

    def _declarations(self, where: str) -> tuple[tuple[str, ...], bool]:
        start = self._tokens.position
        names: list[str] = []
        while self._tokens.peek_solid().kind == "variable":
            names.append(self._tokens.take().text)
            token = self._tokens.peek_solid()
            if token.kind == "declare" or token.text == "=":
                self._tokens.take()
                self._check_assigned(names, declares=token.kind == "declare")
                return tuple(names), token.kind == "declare"
            if token.text == "," and where == "range" and len(names) == 1:
                self._tokens.take()
                continue
            break
        self._tokens.position = start
        return (), False

    def _check_assigned(self, names: list[str], *, declares: bool) -> None:
        for name in names:
            if not declares and name not in self._variables:
                raise QueryError(f"template: undefined variable {name!r}")

    def _command(self) -> Command:
        operands: list[Operand] = []
        at = self._tokens.peek_solid().at
        while True:
            self._tokens.peek_solid()
            operand = self._operand()
            if operand is not None:
                operands.append(operand)
            token = self._tokens.take()
            if token.kind == "space":
                continue
            if token.kind == "close" or token.text == ")":
                self._tokens.position -= 1
            elif token.text != "|":
                raise QueryError(f"template: unexpected {token.text!r} in operand")
            break
        if not operands:
            raise QueryError("template: empty command")
        return Command(tuple(operands), at)

    def _operand(self) -> Operand | None:
        operand = self._term()
        if operand is None or self._tokens.peek().kind != "field":
            return operand
        names = []
        at = self._tokens.peek().at
        while self._tokens.peek().kind == "field":
            names.append(self._tokens.take().text[1:])
        if isinstance(operand, Field):
            return Field((*operand.names, *names), at)
        if isinstance(operand, Variable):
            return Variable(operand.name, (*operand.fields, *names), at)
        if isinstance(operand, (Literal, Nil, Dot)):
            raise QueryError("template: unexpected . after term")
        return Chain(operand, tuple(names), at)

    def _term(self) -> Operand | None:  # noqa: C901, PLR0911 - one case for each kind of token
        token = self._tokens.peek()
        kind, text, at = token.kind, token.text, token.at
        if kind in {"close", "end", "space"} or text in {"|", ")"}:
            return None
        self._tokens.take()
        if kind == "field":
            return Field((text[1:],), at)
        if kind == "word":
            return self._word(text, at)
        if kind in {"string", "raw"}:
            return Literal(read_string(text), text, at=at)
        if kind == "number":
            return Literal(read_number(text), text, is_number=True, at=at)
        if kind == "char":
            return Literal(read_char(text), text, is_number=True, at=at)
        if kind == "dot":
            return Dot(at)
        if kind == "variable":
            if text not in self._variables:
                raise QueryError(f"template: undefined variable {text!r}")
            return Variable(text, at=at)
        if text == "(":
            return self._pipeline("parenthesized pipeline", ")")
        raise QueryError(f"template: unexpected {text!r} in operand")

    def _word(self, text: str, at: int) -> Operand:
        if text in {"true", "false"}:
            return Literal(text == "true", text, at=at)
        if text == "nil":
            return Nil(at)
        if text == "call":
            raise QueryError("template: call is not supported, there are no function values")
        if text not in FUNCTION_NAMES:
            raise QueryError(f'template: function "{text}" not defined')
        return Function(text, at)


@lru_cache(_MAX_PARSED)
def parse_template(text: str) -> TemplateTree:
    """The tree of a template.

    Raises:
        QueryError: the template is wrong, or uses a function that does not exist.
    """
    return TemplateTree(text)
