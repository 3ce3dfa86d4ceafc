"""The level of a line, as Loki's `detected_level` names it.

Learned from the answers of a running Loki 3.7.6: stream labels decide first, then structured
metadata, then the fields of a JSON or logfmt line, then the first word in the line that is a level.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

from lokikit.fields import DETECTED_LEVEL
from lokikit.store.level_fields import find_json_level, find_logfmt_level
from lokikit.store.limits import kit_limits

UNKNOWN = "unknown"
_SEVERITY_NUMBER = "severity_number"
_LEVELS = {
    "trace": "trace",
    "trc": "trace",
    "debug": "debug",
    "dbg": "debug",
    "info": "info",
    "inf": "info",
    "information": "info",
    "warn": "warn",
    "warning": "warn",
    "wrn": "warn",
    "error": "error",
    "err": "error",
    "critical": "critical",
    "fatal": "fatal",
}
_SEVERITIES = ("trace", "debug", "info", "warn", "error", "fatal")
"""OpenTelemetry's severity numbers 1 to 24, four for each."""
_KIT_LINE = re.compile(r'\{"timestamp":"[^"\\]*","level":"(debug|info|warning|error|critical)"')
"""A line of lokikit's formatter: the field that decides stands second."""
_WORD_PARTS = ("info", "err", "warn", "debug", "trace", "critical", "fatal")
_WORD = re.compile(
    r"(?:^|(?<=[\t\n \"(=\[{]))(trace|debug|info|warning|warn|error|err|critical|fatal)"
    r"(?=[\t\n !\"(),:=\[\]{}]|\Z)"
)


class LevelDetector:
    """Finds levels by one list of fields.

    Args:
        fields: the names of fields, labels and metadata that hold a level.
        max_depth: how many objects deep a JSON field may stand; 0 is any depth.
    """

    def __init__(self, fields: Sequence[str], max_depth: int = 2) -> None:
        self._fields = tuple(fields)
        self._names = frozenset(fields)
        self._deciding = self._names | {DETECTED_LEVEL, _SEVERITY_NUMBER}
        self._folded = tuple(dict.fromkeys(name.casefold() for name in fields))
        self._max_depth = max_depth
        self._stems = [
            name for name in fields if not any(one in name and one != name for one in fields)
        ]
        names = "|".join(re.escape(name) for name in fields)
        text = r'[^"\\]*(?:\\.[^"\\]*)*'
        gap = r"[ \t\n\r]*"
        scalar = rf'(?:"{text}"|-?[0-9][0-9.eE+-]*|true|false|null)'
        plain = rf'{gap}"[^"\\]*"{gap}:{gap}{scalar}{gap},'
        self._flat = re.compile(
            rf'{gap}\{{(?:{plain})*?{gap}"(?:{names})"{gap}:{gap}"({text})"', re.DOTALL
        )

    def detect(
        self, line: str, metadata: Mapping[str, str], labels: Mapping[str, str]
    ) -> str | None:
        """The level, mostly one of Loki's seven or `unknown`.

        `None` when a label of the stream has the name already, so that no level is added.
        """
        if DETECTED_LEVEL in labels:
            return None
        if metadata and (found := metadata.get(DETECTED_LEVEL)):
            return found
        return (
            self._of_labels(labels)
            or (metadata and self._of_metadata(metadata))
            or self._of_line(line)
        )

    def detect_all(
        self,
        lines: Sequence[str],
        metadata: Sequence[Mapping[str, str]],
        labels: Mapping[str, str],
    ) -> list[str | None]:
        """The levels of lines of one stream, each as `detect` finds it."""
        names: set[str] = set().union(*metadata)
        if self._deciding.isdisjoint(names) and self._deciding.isdisjoint(labels):
            find, of_line = _KIT_LINE.match, self._of_other_line
            return [_LEVELS[kit[1]] if (kit := find(line)) else of_line(line) for line in lines]
        pairs = zip(lines, metadata, strict=True)
        return [self.detect(line, one, labels) for line, one in pairs]

    def _of_labels(self, labels: Mapping[str, str]) -> str | None:
        if self._names.isdisjoint(labels):
            return None
        return next((_level(labels[name]) for name in self._fields if labels.get(name)), None)

    def _of_metadata(self, metadata: Mapping[str, str]) -> str | None:
        if found := self._of_labels(metadata):
            return found
        number = metadata.get(_SEVERITY_NUMBER)
        return _of_severity(number) if number else None

    def _of_line(self, line: str) -> str:
        if found := _KIT_LINE.match(line):
            return _LEVELS[found[1]]
        return self._of_other_line(line)

    def _of_other_line(self, line: str) -> str:
        value = self._field_value(line)
        return (value and _LEVELS.get(value.lower())) or _of_words(line)

    def _field_value(self, line: str) -> str | None:
        if line.lstrip(" \t\n\r").startswith("{") and line.rstrip(" \t\n\r").endswith("}"):
            if "\\u" not in line and not any(stem in line for stem in self._stems):
                return None
            if found := self._flat.match(line):
                return found[1]
            return find_json_level(line, self._names, self._max_depth)
        return find_logfmt_level(line, self._folded) if "=" in line else None


@functools.cache
def kit_detector() -> LevelDetector:
    """The detector with the fields of the kit's `loki.yaml`."""
    limits = kit_limits()
    return LevelDetector(limits.log_level_fields, limits.log_level_max_depth)


def detect_level(line: str, metadata: Mapping[str, str], labels: Mapping[str, str]) -> str | None:
    """The level as `LevelDetector.detect` finds it with the kit's own fields."""
    return kit_detector().detect(line, metadata, labels)


def _level(value: str) -> str:
    """The level of a label's value; a value that is no level stays as it is."""
    return _LEVELS.get(value.lower(), value)


def _of_severity(number: str) -> str:
    try:
        value = int(number)
    except ValueError:
        return "info"
    if value == 0 or value > 4 * len(_SEVERITIES):
        return UNKNOWN
    return _SEVERITIES[max(value - 1, 0) // 4]


def _of_words(line: str) -> str:
    lowered = line.lower()
    for part in _WORD_PARTS:
        if part in lowered:
            found = _WORD.search(lowered)
            return _LEVELS[found[1]] if found else UNKNOWN
    return UNKNOWN
