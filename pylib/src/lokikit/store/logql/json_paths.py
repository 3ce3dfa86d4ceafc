"""Values at paths of a JSON text, looked for as Loki looks for them: broken text up to its break.

The walk and its oddities are those of the MIT-licensed Go library `buger/jsonparser`, which
Loki reads JSON with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lokikit.store.logql.json_expression import index_of
from lokikit.store.logql.json_scanner import (
    MALFORMED,
    STRING,
    JsonProblem,
    block_end,
    read_value,
    skip_space,
    unescape,
)

Path = tuple[str, ...]
Found = Callable[[int, str, str], None]


class PathSearch:
    """Looks for several paths in one walk.

    Args:
        paths: the steps of each.
        found: called with the number of a path, the kind of its value, and its text.
    """

    def __init__(self, paths: Sequence[Path], found: Found) -> None:
        self._paths = paths
        self._found = found
        self._depth = max(map(len, paths))

    def walk(self, text: str) -> str | None:
        """Report each path once, at its first place.

        Returns:
            The last problem: a value at a path is broken, or keys stand outside of an object.
        """
        self._problem: str | None = None
        self._text, self._end = text, len(text)
        self._open = set(range(len(self._paths)))
        self._keys = [""] * self._depth
        self._level = position = 0
        while 0 <= position < self._end:
            position = self._step(position)
        return self._problem

    def _step(self, position: int) -> int:
        """The position to go on at, -1 when the walk ends."""
        char = self._text[position]
        if char == '"':
            return self._string(position)
        if char == "[":
            return self._array(position)
        if char == "{":
            self._level += 1
        elif char in "}]":
            self._level -= 1
        return position + 1

    def _string(self, position: int) -> int:  # noqa: PLR0911 - each end of the walk
        match = STRING.match(self._text, position)
        if match is None:
            return -1
        behind = skip_space(self._text, match.end(), self._end)
        if behind == self._end:
            return -1
        if self._text[behind] != ":":
            return behind
        try:
            key = unescape(match[1])
        except JsonProblem:
            return -1
        if self._depth >= self._level:
            if self._level < 1:
                self._problem = MALFORMED
                return -1
            self._keys[self._level - 1] = key
            self._report_key(key, behind + 1)
            if not self._open:
                return -1
        return behind + 1

    def _report_key(self, key: str, position: int) -> None:
        level = self._level
        for number, path in enumerate(self._paths):
            if number not in self._open or len(path) != level or path[level - 1] != key:
                continue
            if self._on_way(path, level):
                self._open.discard(number)
                self._report_value(number, position)

    def _report_value(self, number: int, position: int) -> None:
        try:
            kind, value, _ = read_value(self._text, position, self._end)
        except JsonProblem as problem:
            self._problem = str(problem)
        else:
            self._found(number, kind, value)

    def _on_way(self, path: Path, level: int) -> bool:
        """True when the keys around this place are the path's first steps."""
        reached = self._keys[:level]
        size = min(len(path), len(reached))
        return list(path[:size]) == reached[:size]

    def _array(self, position: int) -> int:
        level = self._level
        if level < 0:
            self._problem = MALFORMED
            return -1
        indices = {
            number: index
            for number, path in enumerate(self._paths)
            if number in self._open
            and len(path) > level
            and (index := index_of(path[level])) is not None
            and self._on_way(path, level)
        }
        if not indices:
            end = block_end(self._text, position, self._end)
            return -1 if end < 0 else end
        self._level += 1
        stop = self._elements(position, indices)
        return -1 if not self._open else stop

    def _elements(self, position: int, indices: dict[int, int]) -> int:
        """Report elements of the array here; the position of its bracket, or of a break."""
        position = skip_space(self._text, position + 1, self._end)
        index = 0
        while position < self._end and self._text[position] != "]":
            try:
                kind, value, stop = read_value(self._text, position, self._end)
            except JsonProblem:
                break
            for number, wanted in indices.items():
                if wanted == index:
                    self._open.discard(number)
                    self._report_element(number, kind, value)
            position = skip_space(self._text, stop, self._end)
            if position < self._end and self._text[position] == ",":
                position += 1
                index += 1
            elif position == self._end or self._text[position] != "]":
                break
        return position

    def _report_element(self, number: int, kind: str, value: str) -> None:
        rest = self._paths[number][self._level :]
        if not rest:
            self._found(number, kind, value)
        elif kind in {"object", "array"}:
            inner = PathSearch([rest], lambda _, *found: self._found(number, *found))
            self._problem = inner.walk(value) or self._problem
