"""Expressions of `| json x="a.b[0]"`: paths into a JSON document."""

from __future__ import annotations

import re

from lokikit.store.errors import QueryError
from lokikit.store.integers import read_decimal

_TOKEN = re.compile(
    r"\s*(?:(?P<field>[a-zA-Z_][a-zA-Z0-9_]*)|(?P<dot>\.)"
    r'|\[\s*(?:"(?P<key>[^"\]\0]*)"|(?P<index>[0-9]+))\s*\])\s*'
)
_LOGFMT_KEY = re.compile(r'\s*(?=\S)([a-zA-Z_][a-zA-Z0-9_]*)?\s*((?:"[^"]*"\s*)*(?:"[^"]*)?)')
_MAX_INDEX = (1 << 63) - 1


def parse_path(expression: str) -> tuple[str, ...]:
    """The steps of a path: keys as they stand, and indices of arrays as `[0]`.

    Raises:
        QueryError: the expression is no path.
    """
    steps: list[str] = []
    position, after_dot = 0, False
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None or not _follows(match, first=not steps, after_dot=after_dot):
            raise _refusal(expression)
        position, after_dot = match.end(), match["dot"] is not None
        if not after_dot:
            steps.append(_step(match))
    if not steps or after_dot:
        raise _refusal(expression)
    return tuple(steps)


def _follows(match: re.Match[str], *, first: bool, after_dot: bool) -> bool:
    """True when this token may stand here."""
    if match["field"] is not None:
        return first or after_dot
    if match["dot"] is not None:
        return not first and not after_dot
    if match["index"] is not None and read_decimal(match["index"]) > _MAX_INDEX:
        return False
    return not after_dot


def _step(match: re.Match[str]) -> str:
    if match["index"] is not None:
        return f"[{read_decimal(match['index'])}]"
    key: str = match["field"] if match["field"] is not None else match["key"]
    return key


def index_of(step: str) -> int | None:
    """The index of a step such as `[0]`; None for a key, in which no `]` can be."""
    return int(step[1:-1]) if step[-1:] == "]" else None


def _refusal(expression: str) -> QueryError:
    return QueryError(f"cannot parse expression [{expression}]: no path of fields and indices")


def parse_key(expression: str) -> str:
    """The key of an expression of `| logfmt x="key"`.

    Quotation marks around a key may lack the second. As in Loki, an expression with more of them,
    or with a key that no name of a label is, is read and finds nothing.

    Raises:
        QueryError: the expression is no key.
    """
    match = _LOGFMT_KEY.fullmatch(expression)
    if match is None:
        raise QueryError(f"cannot parse expression [{expression}]: no key of logfmt")
    name, quoted = match.groups()
    if not quoted:
        return str(name)
    return expression if name else expression.strip().removeprefix('"').removesuffix('"')
