"""The stage `| json`, with and without expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.store.logql.json_expression import parse_path
from lokikit.store.logql.json_parser import (
    JSON_ERROR,
    is_plain_json,
    label_text,
    plain_pairs,
    read_pairs,
    string_text,
)
from lokikit.store.logql.json_paths import PathSearch
from lokikit.store.logql.json_scanner import REPLACEMENT
from lokikit.store.logql.labels_builder import CLASH_SUFFIX, LineState

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Extraction, JsonParser

    Stage = Callable[[LineState], bool]


def compile_json(parser: JsonParser) -> Stage:
    """The stage; it never drops a line but for a filter that stands behind it.

    Raises:
        QueryError: an expression is no path.
    """
    if parser.extractions:
        return JsonExtraction(parser.extractions)
    return extract_json


def extract_json(state: LineState) -> bool:
    """Set a label for each member of the line's object."""
    if state.is_read:
        return True
    if state.is_fresh and (value := is_plain_json(state.line)) is not None:
        if state.hints.required is None:
            return state.extract_all(dict(plain_pairs(value)))
        return state.extract_wanted(_plain_texts(state.line, value))
    pairs, error = read_pairs(state.line)
    for name, text in pairs:
        if not state.extract(name, text):
            return False
        if state.complete:
            return True
    if error is not None:
        state.fail(JSON_ERROR, error)
    return True


def _plain_texts(line: str, value: dict[str, Any]) -> Callable[[str], str | None]:
    """The text of each flat name of a plain line's object."""
    if line.find("{", 1) > 0:
        return dict(plain_pairs(value)).get
    return lambda name: label_text(value.get(name))


class JsonExtraction:
    """Sets labels from paths of the line's JSON; a path without a value gives an empty label."""

    def __init__(self, extractions: Sequence[Extraction]) -> None:
        self._labels = [one.label for one in extractions]
        self._paths = [parse_path(one.expression) for one in extractions]
        flat = all(len(path) == 1 and path[0][0:1] != "[" for path in self._paths)
        self._keys = [(path[0], f'"{path[0]}"') for path in self._paths] if flat else []
        if len(set(self._paths)) < len(self._paths):
            self._keys = []

    def __call__(self, state: LineState) -> bool:
        """Set the labels; the line always stays."""
        if state.is_read or not state.line:
            return True
        values = self._plain_values(state.line) if self._keys else None
        if values is None:
            self._search(state)
            return True
        for label, value in zip(self._labels, values, strict=True):
            _assign(state, label, value)
        return True

    def _plain_values(self, line: str) -> list[str | None] | None:
        """The values of top-level keys by a strict decoder; None where it might read otherwise."""
        if line[0] != "{" or "\\u" in line or REPLACEMENT in line:
            return None
        try:
            document = orjson.loads(line)
        except ValueError:
            return None
        values: list[str | None] = []
        for key, quoted in self._keys:
            if key not in document:
                values.append(None)
                continue
            text = _only_text(line, quoted, document[key])
            if text is None:
                return None
            values.append(text)
        return values

    def _search(self, state: LineState) -> None:
        if state.line[0] not in '{["':
            state.fail(JSON_ERROR)
            return
        found: dict[int, str] = {}

        def note(number: int, kind: str, text: str) -> None:
            found[number] = _label_text(kind, text)

        problem = PathSearch(self._paths, note).walk(state.line)
        if problem is not None:
            state.fail(JSON_ERROR, problem)
        for number, label in enumerate(self._labels):
            _assign(state, label, found.get(number))


def _assign(state: LineState, label: str, value: str | None) -> None:
    if state.clashes(label):
        if value is not None:
            state.assign(label + CLASH_SUFFIX, value)
    elif value is not None or state.get(label) is None:
        state.assign(label, value or "")


def _only_text(line: str, quoted: str, value: Any) -> str | None:
    """The value's text in the line; None when the line may hold another value."""
    kind = type(value)
    if kind is dict or kind is list or line.count(quoted) != 1:
        return None
    if kind is str:
        return value  # type: ignore[no-any-return]  # its type was compared just now
    if value is None:
        return ""
    if kind is bool:
        return "true" if value else "false"
    text = orjson.dumps(value).decode()
    begin = line.find(quoted) + len(quoted)
    return text if line.startswith((f":{text},", f":{text}}}"), begin) else None


def _label_text(kind: str, text: str) -> str:
    """The label of a value; Loki resolves escapes in all but objects."""
    if kind == "object":
        return text
    return "" if kind == "null" else string_text(text)
