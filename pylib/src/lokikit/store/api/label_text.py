"""Labels as the text `{a="b", c="d"}`, as pushes of protobuf bring them and errors show them."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from lokikit.store.api.protobuf import LONE_BYTE
from lokikit.store.errors import PushError
from lokikit.store.logql.quoting import format_labels, unescape

_PAIR = re.compile(
    r"""\s*(["']?)([a-zA-Z_][a-zA-Z0-9_]*)\1\s*=\s*"""
    r"""("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)\s*(,|(?=\}))""",
    re.ASCII,
)
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_BAD_CHARACTER = re.compile(r"[^a-zA-Z0-9_]")
_HALF_PAIR = re.compile(r"\\(?:u|U0000)[dD][89a-fA-F]")


@functools.lru_cache(maxsize=4096)
def parse_labels(text: str) -> Mapping[str, str]:
    """The labels of `{a="b"}`; callers share the answer and do not change it.

    Raises:
        PushError: it is no set of labels.
    """
    refuse_replaced(text)
    stripped = text.strip()
    if not stripped.startswith("{") or not stripped.endswith("}"):
        raise refuse_labels("1:1: parse error: labels stand between { and }")
    labels: dict[str, str] = {}
    position, end = 1, len(stripped) - 1
    while stripped[position:end].strip():
        found = _PAIR.match(stripped, position)
        if not found:
            raise refuse_labels(f'1:{position + 1}: parse error: expected name="value"')
        if found[2] in labels:
            raise PushError(f"stream '{text}' has duplicate label name: '{found[2]}'")
        labels[found[2]] = _unquote(found[3])
        position = found.end()
    return labels


def refuse_replaced(text: str) -> None:
    """Return when no character of labels was replaced.

    Raises:
        PushError: one was; U+FFFD is no UTF-8 to Loki's parser of labels.
    """
    if "\ufffd" in text:
        raise refuse_labels("1:1: parse error: invalid UTF-8 rune")


def check_labels(labels: Mapping[str, str]) -> None:
    """Return when all names can be names of labels, and all values their values.

    Raises:
        PushError: one cannot; the text has the place where Loki's parser stops.
    """
    for name, value in labels.items():
        refuse_replaced(value)
        if not _NAME.fullmatch(name):
            raise refuse_labels(_name_problem(labels, name))


def refuse_labels(problem: str) -> PushError:
    """The error for labels that cannot be read."""
    return PushError(f"couldn't parse labels: {problem}")


def _name_problem(labels: Mapping[str, str], name: str) -> str:
    """The problem in Loki's words, with the column in the text of all labels."""
    before = {key: value for key, value in labels.items() if key < name}
    column = len(format_labels(before)) + (2 if before else 0)
    if not name:
        return f'1:{column}: parse error: unexpected "=" in label set, expected identifier or "}}"'
    if name[0].isdigit():
        at = 0
    else:
        bad = _BAD_CHARACTER.search(name)
        at = bad.start() if bad else 0
    character = repr(name[at]) if name[at] != "'" else "'\\''"
    return f"1:{column + at}: parse error: unexpected character inside braces: {character}"


def _unquote(quoted: str) -> str:
    content = quoted[1:-1]
    if quoted[0] == "`" or "\\" not in content:
        return content
    if _HALF_PAIR.search(content):
        raise refuse_labels("an escape is no code point")
    if quoted[0] == "'":
        content = content.replace("\\'", "'")
    try:
        return LONE_BYTE.sub("\ufffd", unescape(content))
    except ValueError as error:
        raise refuse_labels(str(error)) from error
