"""The stages `| regexp`, `| pattern` and `| unpack`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lokikit.store.errors import QueryError
from lokikit.store.logql.json_parser import JSON_ERROR, sanitize_name, string_text
from lokikit.store.logql.json_scanner import JsonProblem, members, unescape
from lokikit.store.logql.labels_builder import CLASH_SUFFIX, LineState
from lokikit.store.logql.patterns import check_captures, check_pattern, split_pattern
from lokikit.store.logql.regular_expressions import compile_regex

Stage = Callable[[LineState], bool]

ENTRY = "_entry"
_NO_OBJECT = "expecting json object(6), but it is not"


def compile_regexp(pattern: str) -> Stage:
    """The stage `| regexp`: a label for each named group, empty for a group that took no part.

    Raises:
        QueryError: the expression is wrong or names no group.
    """
    if why := check_captures(pattern):
        raise QueryError(f"invalid regexp parser: {why}")
    regex = compile_regex(pattern)
    groups = sorted((number, sanitize_name(name)) for name, number in regex.groupindex.items())

    def parse(state: LineState) -> bool:
        if state.is_read:
            return True
        match = regex.search(state.line)
        if match is None:
            return True
        return all(state.extract(name, match[number] or "") for number, name in groups)

    return parse


def compile_pattern(pattern: str) -> Stage:
    """The stage `| pattern`: labels for the named captures, up to the first literal missing.

    Raises:
        QueryError: the pattern has no named capture, or captures in a row.
    """
    if why := check_pattern(pattern):
        raise QueryError(f"invalid pattern parser: {why}")
    parts = split_pattern(pattern)

    def parse(state: LineState) -> bool:
        if state.is_read:
            return True
        return all(state.extract(name, text) for name, text in match_pattern(parts, state.line))

    return parse


def match_pattern(parts: list[tuple[bool, str]], line: str) -> Iterator[tuple[str, str]]:
    """The named captures of a line that have text, in order."""
    position = 0
    if not parts[0][0]:
        if not line.startswith(parts[0][1]):
            return
        position, parts = len(parts[0][1]), parts[1:]
    for (_, name), following in zip(parts[::2], [*parts[1::2], None], strict=False):
        literal = following[1] if following else ""
        found = line.find(literal, position) if literal else len(line)
        text = line[position:] if found < 0 else line[position:found]
        if name != "_" and line:
            yield name, text
        if found < 0:
            return
        position = found + len(literal)


def unpack(state: LineState) -> bool:
    """Set the labels that a pack stage put into the line, and the line to its `_entry`."""
    if state.is_read or not state.line:
        return True
    if not state.line.startswith("{"):
        state.fail(JSON_ERROR, _NO_OBJECT)
        return True
    labels: dict[str, str] = {}
    entry = None
    try:
        for key, kind, raw, _ in members(state.line, 0, len(state.line)):
            if kind == "text" and key == ENTRY:
                entry = unescape(raw)
            elif kind == "text":
                name = key + CLASH_SUFFIX if state.clashes(key) else key
                if name not in state.extracted and name not in state.parsed:
                    labels[sanitize_name(name)] = string_text(raw)
    except JsonProblem as problem:
        state.fail(JSON_ERROR, str(problem))
        return True
    if entry is None:
        return True
    state.line = entry
    is_kept = all(state.replace(name, text) for name, text in labels.items())
    required = state.hints.required
    if required is not None and required <= {one for one in state.extracted if _is_own(one)}:
        # Parsers behind have nothing left to find.
        state.complete = True
    return is_kept


def _is_own(name: str) -> bool:
    """True when a label has the name of its field: in Loki only these end the search of parsers."""
    return not name.endswith(CLASH_SUFFIX)
