"""The labels that `| json` reads from a line: flat names and texts, in the order of the line.

Three ways lead to the same answer. A line that orjson writes back byte for byte is read by
orjson; another line by the standard decoder, which keeps the texts of numbers; what neither
takes is walked leniently, as Loki walks it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

import orjson

from lokikit.store.logql.json_scanner import (
    MALFORMED,
    REPLACEMENT,
    JsonProblem,
    members,
    skip_space,
    unescape,
)
from lokikit.store.logql.labels_builder import CLASH_SUFFIX

Pair = tuple[str, str]
"""A flat label name and its text."""

JSON_ERROR = "JSONParserErr"
_MAX_DEPTH = 100
"""Levels of objects in broken or very deep text; deeper objects count as broken."""
_MAX_KNOWN = 50_000
_MAX_KEY_LISTS = 4_096
_SHORT_CHARACTERS = 8_192
"""Of lines whose keys are remembered: they bound the memory of that."""
_PLAIN_KEY = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_FOREIGN = re.compile(r"[^a-zA-Z0-9_]")
GO_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_NESTS = re.compile(r'":[{\[]')
"""What every compact line has whose values are not all on the top level."""
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_known_keys: set[str] = set()


def is_plain_json(line: str, hot: Collection[str] = ()) -> dict[str, Any] | None:
    """The object of a line that orjson reads as Loki does, or None for any other line.

    Plain means: orjson writes the object back as the very line, so that numbers stand in
    canonical form, no key comes twice and nothing trails; keys need no sanitising; and no
    flattened name of a nested object equals another name of the line or one of `hot`.
    """
    try:
        value = orjson.loads(line)
        if type(value) is not dict or orjson.dumps(value) != line.encode():
            return None
    except (ValueError, TypeError):
        return None
    are_plain = _are_known_plain if len(line) <= _SHORT_CHARACTERS else _are_plain
    if REPLACEMENT in line or not are_plain(tuple(value)):
        return None
    if line.find("{", 1) > 0 and _NESTS.search(line) and not _nests_plainly(value, hot):
        return None
    return value


@functools.lru_cache(_MAX_KEY_LISTS)
def _are_known_plain(keys: tuple[str, ...]) -> bool:
    """The same as `_are_plain`; most lines have one of a few lists of keys."""
    if not _are_plain(keys):
        return False
    if len(_known_keys) < _MAX_KNOWN:
        _known_keys.update(keys)
    return True


def _are_plain(keys: tuple[str, ...]) -> bool:
    """True when all keys are labels as they stand."""
    return all(map(_is_plain, keys))


def _is_plain(name: str) -> bool:
    is_reserved = name.startswith("__") or name.endswith(CLASH_SUFFIX)
    return not is_reserved and _PLAIN_KEY.fullmatch(name) is not None


def _nests_plainly(value: dict[str, Any], hot: Collection[str]) -> bool:
    """True when every nested key is plain and no flattened name is taken."""
    taken = set(value)
    todo = [(key, inner) for key, inner in value.items() if type(inner) in {dict, list}]
    while todo:
        prefix, inner = todo.pop()
        if type(inner) is list:
            todo.extend((prefix, item) for item in inner if type(item) in {dict, list})
            continue
        for key, item in inner.items():
            name = f"{prefix}_{key}"
            if name in taken or name in hot or not (_PLAIN_KEY.fullmatch(key) and _is_plain(name)):
                return False
            taken.add(name)
            if type(item) in {dict, list}:
                todo.append((name, item))
    return True


def label_text(value: Any) -> str | None:
    """The label of a top-level value of a plain line; None where Loki gives no label."""
    kind = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]  # its type was compared just now
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return orjson.dumps(value).decode()
    return None


def has_json_error(line: str) -> bool:
    """True when `| json` sets `__error__` on the line."""
    try:
        if type(orjson.loads(line)) is dict and '"__error__"' not in line:
            return False
    except (ValueError, TypeError):
        pass
    pairs, error = read_pairs(line)
    return error is not None or ("__error__" in dict(pairs) and dict(pairs)["__error__"] != "")


def read_pairs(line: str) -> tuple[list[Pair], str | None]:
    """The flat names and texts of the line up to its first error, and that error's details.

    Names are sanitised and may come twice; the first text of a name counts.
    """
    value = is_plain_json(line)
    if value is not None:
        return plain_pairs(value), None
    decoded = _decode(line)
    if decoded is not None:
        try:
            return list(_decoded_pairs(decoded)), None
        except RecursionError:
            pass
    return _walk(line)


def plain_pairs(value: dict[str, Any], prefix: str = "") -> list[Pair]:
    """The flat names and texts of a plain line's object; no name comes twice."""
    pairs = []
    for key, inner in value.items():
        name = prefix + key
        if type(inner) is str:
            pairs.append((name, inner))
        elif type(inner) is dict:
            pairs += plain_pairs(inner, f"{name}_")
        elif (text := label_text(inner)) is not None:
            pairs.append((name, text))
    return pairs


class _Members(list):  # type: ignore[type-arg]  # the decoder's pairs hold whatever JSON holds
    """The members of an object, equal keys and their order kept."""


def _refuse(constant: str) -> str:
    raise ValueError(constant)


_decoder = json.JSONDecoder(
    parse_int=str,
    parse_float=str,
    parse_constant=_refuse,
    strict=False,
    object_pairs_hook=_Members,
)


def _decode(line: str) -> _Members | None:
    """The members of a line that the standard decoder takes, numbers as they stand.

    Half a surrogate pair is Loki's own affair.
    """
    if "\\u" in line and _SURROGATE_ESCAPE.search(line):
        return None
    begin = skip_space(line, 0, len(line))
    if not line.startswith("{", begin):
        return None
    try:
        value, _ = _decoder.raw_decode(line, begin)
    except (ValueError, RecursionError):
        return None
    return value if type(value) is _Members else None


def _decoded_pairs(value: _Members, prefix: str = "") -> Iterator[Pair]:
    for key, inner in value:
        name = flat_name(prefix, key)
        if type(inner) is str:
            if name:
                yield name, inner.replace(REPLACEMENT, " ")
        elif type(inner) is _Members:
            yield from _decoded_pairs(inner, name)
        elif type(inner) is bool and name:
            yield name, "true" if inner else "false"


def flat_name(prefix: str, key: str) -> str:
    """The label name of a key below `prefix`, which is sanitised already."""
    if prefix or key not in _known_keys:
        key = sanitize_name(key, leads=not prefix)
    if not prefix:
        return key
    return f"{prefix}_{key}" if key else prefix


def sanitize_name(key: str, *, leads: bool = True) -> str:
    """The key as a label name: trimmed, other characters as `_`, no digit at its begin."""
    key = key.strip(GO_SPACE)
    if leads and key[:1].isdecimal() and key[0].isascii():
        key = f"_{key}"
    return _FOREIGN.sub("_", key)


def _walk(line: str) -> tuple[list[Pair], str | None]:
    pairs: list[Pair] = []
    ends: dict[int, int] = {}
    stack = [("", members(line, 0, len(line), ends))]
    try:
        while stack:
            prefix, walk = stack[-1]
            member = next(walk, None)
            if member is None:
                stack.pop()
                continue
            key, kind, text, end = member
            name = flat_name(prefix, key)
            if kind == "object":
                if len(stack) >= _MAX_DEPTH:
                    return pairs, MALFORMED
                stack.append((name, members(line, end - len(text), end, ends)))
            elif name and kind in {"text", "scalar"}:
                pairs.append((name, string_text(text) if kind == "text" else text))
    except JsonProblem as problem:
        return pairs, str(problem)
    return pairs, None


def string_text(raw: str) -> str:
    """The label text of a JSON string; empty when an escape in it is invalid."""
    try:
        return unescape(raw).replace(REPLACEMENT, " ")
    except JsonProblem:
        return ""
