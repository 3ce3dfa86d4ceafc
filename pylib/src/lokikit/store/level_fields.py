"""Reads the field of a line that holds its level, as leniently as Loki does.

A line that is not quite JSON still has a level when the field stands before the mistake.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import orjson

_SPACE = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_SCALAR = re.compile(r"[-0-9][^,}\] \t\n\r]*|(?:true|false|null)(?=[,}\] \t\n\r])")
_NESTED = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_PAIR = re.compile(
    r'[\x00-\x20]*([^\x00-\x20="\ufffd]+)'
    r'(?:=(?:("(?:[^"\\]|\\.)*")|([^\x00-\x20="]*)(?=[\x00-\x20]|\Z))|(?=[\x00-\x20]|\Z))',
    re.DOTALL,
)


class _MistakeError(Exception):
    """Raised where the text is no JSON."""


class _FoundError(Exception):
    """Raised with the value when it is found; ends the walk through nested objects."""


def find_json_level(line: str, names: Collection[str], max_depth: int) -> str | None:
    """The raw text of the first field of these names that is a string, in the line's order.

    Args:
        line: the text.
        names: of fields.
        max_depth: objects below each other in which to look; 0 is any number.
    """
    try:
        _walk(line, line.index("{"), names, max_depth or len(line))
    except _FoundError as found:
        return str(found)
    except (_MistakeError, RecursionError):
        pass
    return None


def find_logfmt_level(line: str, folded_names: Sequence[str]) -> str | None:
    """The value of the first of these names that is a key of the line.

    Args:
        line: the text; it is read up to its first mistake.
        folded_names: in lower case; the first that is there decides.
    """
    values: dict[str, str] = {}
    position = 0
    while found := _PAIR.match(line, position):
        value = _unquote(found[2]) if found[2] else found[3] or ""
        if value is None:
            break
        values.setdefault(found[1].casefold(), value)
        position = found.end()
    return next((values[name] for name in folded_names if name in values), None)


def _unquote(text: str) -> str | None:
    if "\\" not in text:
        return text[1:-1]
    try:
        return str(orjson.loads(text))
    except orjson.JSONDecodeError:
        return None


def _walk(line: str, position: int, names: Collection[str], depth: int) -> int:
    """The position behind the object that begins at `position`.

    Raises:
        _FoundError: a field of these names is a string.
        _MistakeError: the object is no JSON.
    """
    position = _skip_space(line, position + 1)
    while line[position : position + 1] != "}":
        key, position = _key(line, position)
        position = _value(line, position, key in names, names, depth)
        position = _skip_space(line, position)
        if line[position : position + 1] == ",":
            position = _skip_space(line, position + 1)
        elif line[position : position + 1] != "}":
            raise _MistakeError
    return position + 1


def _key(line: str, position: int) -> tuple[str, int]:
    found = _STRING.match(line, position)
    name = _unquote(found[0]) if found else None
    if found is None or name is None:
        raise _MistakeError
    position = _skip_space(line, found.end())
    if line[position : position + 1] != ":":
        raise _MistakeError
    return name, _skip_space(line, position + 1)


def _value(line: str, position: int, wanted: bool, names: Collection[str], depth: int) -> int:  # noqa: FBT001 - private
    first = line[position : position + 1]
    if first == '"':
        found = _STRING.match(line, position)
        if found and wanted:
            raise _FoundError(found[1])
    elif first == "{":
        end = _skip_nested(line, position)
        if depth > 1:
            _walk(line, position, names, depth - 1)
        return end
    elif first == "[":
        return _skip_nested(line, position)
    else:
        found = _SCALAR.match(line, position)
    if not found:
        raise _MistakeError
    return found.end()


def _skip_nested(line: str, position: int) -> int:
    """The position behind the brackets that open at `position`; only their own kind counts."""
    opening = line[position]
    closing = "}" if opening == "{" else "]"
    open_count = 0
    for found in _NESTED.finditer(line, position):
        open_count += (found[0] == opening) - (found[0] == closing)
        if not open_count:
            return found.end()
    raise _MistakeError


def _skip_space(line: str, position: int) -> int:
    found = _SPACE.match(line, position)
    return found.end() if found else position
