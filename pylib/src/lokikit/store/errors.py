"""The errors of the store, each with the HTTP status of its answer.

LokikitError
└── StoreError             400 unless its raiser names another status
    ├── QueryError         400  the query is wrong, or a part of it is not supported
    │   └── SyntaxProblem  400  at a position of the text
    ├── PushError          4xx  a push is refused
    ├── LimitError         400  a query goes beyond a limit
    └── StoppedError       499/504  the client left, or the time is over
"""

from __future__ import annotations

from lokikit.errors import LokikitError

BAD_REQUEST = 400


class StoreError(LokikitError):
    """The base of all below.

    Args:
        message: the text of the answer, as Loki words it where Loki has that error.
        status: the HTTP status of the answer.
    """

    def __init__(self, message: str, status: int = BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


class QueryError(StoreError):
    """Raised for a query that cannot be answered; the text names why."""


class SyntaxProblem(QueryError):  # noqa: N818 - the builtin SyntaxError has the better name
    """Raised where the text of a query does not follow the grammar, or a rule beyond it.

    Args:
        message: the problem, without its position.
        line: of the text, from 1.
        column: from 1.
        shows_position: False where Loki's text of the problem has no position.
    """

    def __init__(
        self, message: str, line: int, column: int, *, shows_position: bool = True
    ) -> None:
        where = f" at line {line}, col {column}:" if shows_position else " :"
        super().__init__(f"parse error{where} {message}")
        self.problem, self.line, self.column = message, line, column


class PushError(StoreError):
    """Raised for a push that is refused, whole or in part; the text lists what and why."""


class LimitError(QueryError):
    """Raised when a query goes beyond one of Loki's limits."""


class StoppedError(StoreError):
    """Raised inside a query that has to stop: its time is over, or its client left."""
