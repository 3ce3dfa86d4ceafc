"""Expressions of `| json x="a.b[0]"`: paths into a JSON document."""

from __future__ import annotations

import re

from lokikit.store.errors import QueryError

_TOKEN = re.compile(
    r"\s*(?:(?P<field>[a-zA-Z_][a-zA-Z0-9_]*)|(?P<dot>\.)"
    r'|\[\s*(?:"(?P<key>[^"\]]*)"|(?P<index>[0-9]+))\s*\])\s*'
)
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
    if match["index"] is not None and int(match["index"]) > _MAX_INDEX:
        return False
    return not after_dot


def _step(match: re.Match[str]) -> str:
    if match["index"] is not None:
        return f"[{int(match['index'])}]"
    key: str = match["field"] if match["field"] is not None else match["key"]
    return key


def _refusal(expression: str) -> QueryError:
    return QueryError(f"cannot parse expression [{expression}]: no path of fields and indices")


def parse_key(expression: str) -> str:
    """The key of an expression of `| logfmt x="key"`.

    Raises:
        QueryError: the expression is no key.
    """
    match = re.fullmatch(
        r'\s*(?:([a-zA-Z_][a-zA-Z0-9_]*)|"([a-zA-Z_][a-zA-Z0-9_]*)")\s*', expression
    )
    if match is None:
        raise QueryError(f"cannot parse expression [{expression}]: no key of logfmt")
    return match[1] or match[2]
