"""Labels as the text `{a="b", c="d"}`, as pushes of protobuf bring them and errors show them."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

from lokikit.store.errors import PushError
from lokikit.store.logql.quoting import SHORT_ESCAPES, format_labels

_PAIR = re.compile(
    r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*("(?:[^"\\\n]|\\.)*"|`[^`]*`)\s*(,|(?=\}))', re.ASCII
)
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_BAD_CHARACTER = re.compile(r"[^a-zA-Z0-9_]")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_MAX_CODE_POINT = 0x10FFFF


@functools.lru_cache(maxsize=4096)
def parse_labels(text: str) -> Mapping[str, str]:
    """The labels of `{a="b"}`; callers share the answer and do not change it.

    Raises:
        PushError: it is no set of labels.
    """
    stripped = text.strip()
    if not stripped.startswith("{") or not stripped.endswith("}"):
        raise refuse_labels("1:1: parse error: labels stand between { and }")
    labels: dict[str, str] = {}
    position, end = 1, len(stripped) - 1
    while stripped[position:end].strip():
        found = _PAIR.match(stripped, position)
        if not found:
            raise refuse_labels(f'1:{position + 1}: parse error: expected name="value"')
        labels[found[1]] = _unquote(found[2])
        position = found.end()
    return labels


def check_names(labels: Mapping[str, str]) -> None:
    """Return when all names can be names of labels.

    Raises:
        PushError: one cannot; the text has the place where Loki's parser stops.
    """
    for name in labels:
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
    return _ESCAPE.sub(_unescaped, content)


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) == 1:
        return SHORT_ESCAPES.get(code, code)
    value = int(code, 8) if code[0].isdigit() else int(code[1:], 16)
    is_character = value <= _MAX_CODE_POINT and not 0xD800 <= value <= 0xDFFF  # noqa: PLR2004
    return chr(value) if is_character else "\ufffd"
