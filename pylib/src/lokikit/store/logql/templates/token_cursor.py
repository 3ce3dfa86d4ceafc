"""A place in the tokens of a template."""

from __future__ import annotations

from lokikit.store.errors import QueryError
from lokikit.store.logql.templates.lexer import TemplateToken, tokenize

END = TemplateToken("end", "")
"""The token behind the last token."""


class TokenCursor:
    """Reads the tokens of a template one by one; `position` may be set back."""

    def __init__(self, template: str) -> None:
        self._tokens = list(tokenize(template))
        self.position = 0

    def peek(self) -> TemplateToken:
        """The next token."""
        return self._tokens[self.position] if self.position < len(self._tokens) else END

    def take(self) -> TemplateToken:
        """The next token, and a step behind it."""
        token = self.peek()
        self.position += 1
        return token

    def peek_solid(self) -> TemplateToken:
        """The next token that is no space; spaces before it are left behind."""
        while self.peek().kind == "space":
            self.position += 1
        return self.peek()

    def take_solid(self) -> TemplateToken:
        """The next token that is no space, and a step behind it."""
        self.peek_solid()
        return self.take()

    def expect(self, kind: str, where: str) -> TemplateToken:
        """The next token that is no space, which is of this kind.

        Raises:
            QueryError: it is of another kind.
        """
        token = self.take_solid()
        if token.kind != kind:
            raise QueryError(f"template: unexpected {token.text!r} in {where}")
        return token
