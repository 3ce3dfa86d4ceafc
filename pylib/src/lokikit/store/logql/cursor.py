"""A place in the tokens of a query, and the errors at that place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.store.logql.lexer import CALL, CONVERSION, END, Token, problem, scan

if TYPE_CHECKING:
    from lokikit.store.errors import SyntaxProblem
    from lokikit.store.logql.pipeline_syntax import LineFilter, Matcher, Stage

_MAX_OPERATIONS = 200


class Cursor:
    """The tokens of a query, with a current token.

    `selectors`, `regexes`, `stages` and `foreign_names` collect the parts that are checked once
    the whole text follows the grammar.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.selectors: list[tuple[Token, tuple[Matcher, ...]]] = []
        self.regexes: list[tuple[Token, LineFilter]] = []
        self.stages: list[tuple[Token, Stage]] = []
        self.foreign_names: list[tuple[Token, str]] = []
        self._operations = 0
        self._tokens, self._problem = scan(text)
        self._index = -1
        self.current = Token(END, "", 0)
        self.advance()

    def advance(self) -> Token:
        """The current token; the next becomes current.

        Raises:
            SyntaxProblem: the next is a malformed literal.
        """
        token = self.current
        self._index += 1
        if self._problem and self._index == len(self._tokens):
            raise self._problem
        self.current = self._tokens[min(self._index, len(self._tokens) - 1)]
        self.kind = self.current.kind
        return token

    def accept(self, kind: str) -> Token | None:
        """The current token when it is of that kind, and then the next becomes current."""
        return self.advance() if self.kind == kind else None

    def expect(self, *kinds: str) -> Token:
        """The current token, whose kind must be among `kinds`.

        Raises:
            SyntaxProblem: the token is of another kind.
        """
        if self.kind not in kinds:
            raise self.unexpected(*kinds)
        return self.advance()

    def follows(self, kind: str) -> bool:
        """True when the token behind the current token is of that kind."""
        following = self._index + 1
        return following < len(self._tokens) and self._tokens[following].kind == kind

    def count_operation(self) -> None:
        """Count a binary operation, since each makes the tree deeper.

        Raises:
            SyntaxProblem: the walks over the tree would run out of stack.
        """
        self._operations += 1
        if self._operations > _MAX_OPERATIONS:
            message = f"more than {_MAX_OPERATIONS} binary operations are not supported"
            raise self.refusal(self.current, message)

    def unexpected(self, *expected: str) -> SyntaxProblem:
        """The error for the current token, in the words of Loki."""
        message = f"syntax error: unexpected {_shown(self.current)}"
        if expected:
            message += f", expecting {' or '.join(expected)}"
        has_position = bool(self.text) or self.kind != END
        return problem(self.text, self.current.offset, message, shows_position=has_position)

    def refusal(self, token: Token, message: str) -> SyntaxProblem:
        """The error for a query that follows the grammar and breaks another rule."""
        return problem(self.text, token.offset, message, shows_position=False)


def _shown(token: Token) -> str:
    if token.kind == CONVERSION:
        return f"{token.text.upper()}_CONV"
    if token.kind == CALL and token.text != "label_replace":
        return token.text.upper()
    return token.text if token.kind == CALL else token.kind
