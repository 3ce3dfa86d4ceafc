"""The fields of a rule test's file, checked while they are read, with all problems collected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from lokikit.errors import SettingsError
from lokikit.monitoring.rule_definition import Rule
from lokikit.testing.located_yaml import Located
from lokikit.times import NS_PER_MS, parse_duration_ns, parse_timestamp_ns

_MILLISECONDS = re.compile(r"(\d+)ms", re.ASCII)
_NO_RULE = Rule("", "", "", "", "any", 0)
"""In place of a rule that does not exist, until the problems are raised."""


class Problems:
    """The problems of a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, text: str) -> None:
        """Add a problem; the text is a sentence without its full stop."""
        self._found.append((line, f"{self._path}:{line}: {text}."))

    def mapping(self, held: Any, name: str) -> Fields:
        """Return the fields of a mapping; no fields and a problem for anything else."""
        if not isinstance(held, Located):
            self.add(1, f"{name} is no mapping of keys to values")
            held = Located()
            held.lines = {}
        return Fields(held, self, name)

    def raise_any(self) -> None:
        """Raise an error with a line for each problem, if there are any.

        Raises:
            SettingsError: there are problems.
        """
        if self._found:
            raise SettingsError("\n".join(text for _, text in sorted(self._found)))


class Fields:
    """A mapping of the file."""

    def __init__(self, held: Located, problems: Problems, name: str) -> None:
        self._held, self._problems, self._name = held, problems, name
        self._known: set[str] = set()

    @property
    def line_number(self) -> int:
        """The first line of the mapping in the file."""
        return self._held.line

    def problem(self, key: str, text: str) -> None:
        """Add a problem of a key."""
        place = f"{self._name}, {key}" if self._name != "the file" else key
        self._problems.add(self._held.lines.get(key, self._held.line or 1), f"{place}: {text}")

    def end(self) -> None:
        """Add a problem for each key that was not read."""
        for key in self._held.keys() - self._known:
            near = get_close_matches(str(key), self._known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {_listed(self._known)}"
            self.problem(str(key), f"the key is unknown, {hint.removesuffix('?')}")

    def text(self, key: str, *, required: bool = False) -> str:
        """Return the text of a key, empty without it."""
        value = self._value(key, required=required)
        return "" if value is None else str(value)

    def texts(self, key: str) -> list[str]:
        """Return the texts of a required list; a single text is a list with one item."""
        value = self._value(key, required=True)
        return [str(text) for text in (value if isinstance(value, list) else [value or ""]) if text]

    def mappings(self, key: str, *, required: bool = False) -> list[Fields]:
        """Return the mappings of a list."""
        value = self._value(key, required=required)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(key, "write a list of mappings")
            return []
        own = "" if self._name == "the file" else f"{self._name}, "
        return [
            self._problems.mapping(item, f"{own}{key}[{number}]")
            for number, item in enumerate(value, 1)
        ]

    def labels(self, key: str) -> dict[str, str]:
        """Return a mapping of names to texts."""
        value = self._value(key)
        if value is not None and not isinstance(value, dict):
            self.problem(key, "write a mapping of names to values")
            return {}
        return {str(name): _as_text(text) for name, text in (value or {}).items()}

    def line(self) -> dict[str, Any] | str:
        """Return the fields under `line`, or the text under `text`."""
        held, text = self._value("line"), self._value("text")
        if (held is None) == (text is None):
            self.problem("line", "write either `line`, with fields, or `text`")
        if held is not None and not isinstance(held, dict):
            self.problem("line", "write fields, or use `text` for a line as it is")
            return ""
        return dict(held) if held is not None else str(text)

    def number(self, key: str) -> float | None:
        """Return a number, `None` without it."""
        value = self._value(key)
        try:
            return None if value is None else float(value)
        except (TypeError, ValueError):
            self.problem(key, f"{value!r} is no number")
            return None

    def whole(self, key: str, default: int | None) -> int | None:
        """Return a whole number, zero or more."""
        value = self._value(key)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.problem(key, f"{value!r} is no whole number")
            return default
        return value

    def word(self, key: str, words: Sequence[str]) -> str:
        """Return a word from a set of words."""
        value = self.text(key, required=True)
        if value and value not in words:
            self.problem(key, f"{value!r} is unknown: known are {', '.join(words)}")
        return value

    def duration_ns(
        self,
        key: str,
        default: int | None,
        *,
        required: bool = False,
        may_be_negative: bool = False,
    ) -> int | None:
        """Return a duration such as `1h30m`; it may be negative, for a time before the start."""
        value = self._value(key, required=required)
        if value is None:
            return default
        text = str(value)
        sign = -1 if may_be_negative and text.startswith("-") else 1
        text = text.removeprefix("-") if may_be_negative else text
        if text == "0":
            return 0
        if found := _MILLISECONDS.fullmatch(text):
            return sign * int(found[1]) * NS_PER_MS
        try:
            return sign * parse_duration_ns(text, key)
        except SettingsError:
            self.problem(key, f"{value!r} is no duration: use 90s, 30m, 1h, 2d, 1w or 1h30m")
            return default

    def time_ns(self, key: str, default: str) -> int:
        """Return a time of RFC 3339, in nanoseconds since 1970."""
        value = self._value(key)
        found = parse_timestamp_ns(str(default if value is None else value))
        if found is None:
            self.problem(key, f"{value!r} is no time: use the form {default}")
            return 0
        return found

    def rule(self, key: str, rules: Iterable[Rule]) -> Rule:
        """Return the rule with that uid, title or alert name."""
        name = self.text(key, required=True)
        named = [rule for rule in rules if name in {rule.uid, rule.title}]
        if len(named) == 1:
            return named[0]
        if named:
            self.problem(key, f"{len(named)} rules are named {name!r}: use the uid of one")
        elif name:
            titles = [title for rule in rules for title in (rule.uid, rule.title)]
            near = get_close_matches(name, titles, 1)
            hint = f", did you mean {near[0]!r}" if near else ""
            self.problem(key, f"no rule of the files under `rules` is named {name!r}{hint}")
        return _NO_RULE

    def _value(self, key: str, *, required: bool = False) -> Any:
        self._known.add(key)
        value = self._held.get(key)
        if required and (value is None or value == []):
            self.problem(key, "the key is missing or empty")
            return None
        return value


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
