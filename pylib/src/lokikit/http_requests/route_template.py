"""Routes of Flask, Django, Starlette and FastAPI in the same form: `/orders/{id}`."""

from __future__ import annotations

import re
from functools import lru_cache

_PARAMETER = re.compile(r"<(?:[^<>]*:)?([^<>:]+)>|\{([^{}:]+):[^{}]*\}")
"""Parameters of Flask and Django (`<int:id>`) or Starlette (`{id:int}`)."""
_IS_REGEX = re.compile(r"[\^$]|\(\?|\\[AZbBdDwWsS.]")
"""Characters of Django's `re_path` that no other route holds."""
_NAMED = re.compile(r"\?P<(\w+)>|\?P=(\w+)\Z")
_WITHOUT_TEXT = re.compile(r"\?(?:[=!#]|<[=!]|[aiLmsux-]+\Z)")
"""Lookarounds, comments and flags."""
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d*,?\d*\})[?+]?")
_SET = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_UNNAMED = "{var}"
_NO_CHARACTER = "AZbB"
_CLASSES = "dDwWsS"


@lru_cache(maxsize=4096)
def template(rule: str) -> str:
    """Return the route with `{name}` for each parameter; `{var}` for groups without a name."""
    if _IS_REGEX.search(rule):
        rule = _read_regex(rule)
    rule = _PARAMETER.sub(lambda match: f"{{{match[1] or match[2]}}}", rule)
    return rule if rule.startswith("/") else f"/{rule}"


def _read_regex(pattern: str) -> str:
    """Return the text that a regular expression matches, with parameters for its groups."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        start, char = at, pattern[at]
        if char == "(":
            at = _group_end(pattern, at)
            part = _read_group(pattern[start + 1 : at - 1])
        elif char == "[":
            at = _set_end(pattern, at)
            part = _UNNAMED
        elif char == "\\":
            at += 2
            part = _read_escape(pattern[start + 1 : at])
        else:
            at += 1
            part = "" if char in "^$" else char
        if quantifier := _QUANTIFIER.match(pattern, at):
            at = quantifier.end()
            part = _UNNAMED if char == "." else part
        parts.append(part)
    return "".join(parts)


def _read_group(content: str) -> str:
    if named := _NAMED.match(content):
        return f"{{{named[1] or named[2]}}}"
    if _WITHOUT_TEXT.match(content):
        return ""
    if content.startswith("?"):  # without a number: `(?:…)`
        return _read_regex(content.partition(":")[2])
    return _UNNAMED


def _read_escape(char: str) -> str:
    if char in _NO_CHARACTER:
        return ""
    return _UNNAMED if char in _CLASSES else char


def _group_end(pattern: str, start: int) -> int:
    """Return the place behind the group's closing parenthesis, or the end without it."""
    at, depth = start, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "[":
            at = _set_end(pattern, at)
            continue
        at += 2 if char == "\\" else 1
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth == 0:
            return at
    return len(pattern)


def _set_end(pattern: str, start: int) -> int:
    """Return the place behind the set's closing bracket; a bracket that comes first is a member."""
    end = _SET.match(pattern, start)
    return end.end() if end else len(pattern)
