"""Conditions on lines, as LogQL that no value can break out of, and as a check in Python.

Loki decides nearly all conditions. Its reading of JSON is not exact, so it may return too many
lines, and the check decides: Loki reads U+FFFD as a space, an absent field as an empty field, and
the text of an object as a string.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from lokikit import fields as f
from lokikit.errors import SettingsError
from lokikit.output.json_values import json_value
from lokikit.output.redaction import SecretNames
from lokikit.output.safe_text import clean

if TYPE_CHECKING:
    from lokikit.query.results import LogEntry

_REPLACED = "\ufffd"
HAS_REPLACED = r'|= "" |~ `\x{FFFD}|\\u[fF]{3}[dD]`'
"""Passes lines that hold U+FFFD, in any notation. The filter in front passes all lines; without it
Loki would read `| drop label !~ …` as one stage."""
HAS_NONE_REPLACED = HAS_REPLACED.replace("|~", "!~", 1)

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_WRITTEN_ALIKE = re.compile(r"[A-Za-z0-9 _.:-]+", re.ASCII)
"""Characters that every writer of JSON writes as they are."""
_NO_KEY_FOR_LOKI = re.compile(r'["\]\x00]|^$')
"""Loki's JSON expressions have no escapes for these."""
_MAX_CHARACTERS = 1024
"""Longer texts are searched by their beginning, as Loki takes queries of 128 KiB at most."""
_MAX_LABEL_CHARACTERS = 4096
"""No label value is longer."""
_ONE_OF = (list, tuple, set, frozenset)
LABEL_OF = {field: label for label, field in f.LABEL_FIELDS.items()}
"""Field of a line -> label of its stream."""
_LEVELS = frozenset({*f.DETECTED_LEVELS, *f.DETECTED_LEVELS.values(), *f.NUMBERED_LEVELS.values()})
"""Levels of the contract, and those that Loki or a carrier of lines detects."""
_METADATA_ONLY = frozenset(f.PLATFORM_METADATA) - {f.HOST}
_NO_SECRETS = SecretNames()


class Precision(enum.IntEnum):
    """How exactly Loki itself decides a condition."""

    EXACT = 0
    UNLESS_REPLACED = 1
    """Exact, except for lines that hold U+FFFD."""
    TOO_MUCH = 2


@dataclass(frozen=True)
class LineCondition:
    """A condition on a line.

    Args:
        line_filter: LogQL on the whole line, which saves Loki the parsing; may be empty.
        key: field of the line that `label_filter` reads; empty when it reads no field.
        label_filter: returns LogQL on labels, from the label into which Loki reads the field.
        holds: returns True when an entry fulfils the condition.
        precision: how exactly the LogQL decides it.
    """

    line_filter: str = ""
    key: str = ""
    label_filter: Callable[[str], str] | None = None
    holds: Callable[[LogEntry], bool] = lambda _: True
    precision: Precision = Precision.EXACT


def quoted(text: str) -> str:
    """Return a LogQL string for any `text`."""
    return json.dumps(clean(text), ensure_ascii=False)


def can_ask_for(key: str) -> bool:
    """Return True when a JSON expression of Loki can name the field `key`."""
    return not _NO_KEY_FOR_LOKI.search(key)


def json_expression(key: str) -> str:
    """Return the JSON expression of Loki for the field `key`."""
    return f'["{key}"]'


def selector(labels: Mapping[str, str]) -> str:
    """Return a selector of streams, with a filter behind where needed; all streams for no labels.

    Raises:
        SettingsError: a label cannot have such a name, or a value is no text.
    """
    for name, value in labels.items():
        if not _LABEL_NAME.fullmatch(name):
            raise SettingsError(f"{name!r} can be no label of Loki: for a field use where().")
        if not isinstance(value, str):
            raise SettingsError(f"the label {name}={value!r} is no text: write {str(value)!r}.")
    matchers = [_equals(name, value) for name, value in labels.items() if value]
    # Loki refuses a selector that an absent label fulfils, but takes it as a filter.
    empty = [f' | {name}=""' for name, value in labels.items() if not value]
    return (f"{{{', '.join(matchers)}}}" if matchers else f.EVERY_STREAM) + "".join(empty)


def containing(text: str) -> LineCondition:
    """Return the condition that the line holds `text`, as it is or as JSON writes it."""
    text = clean(text)
    whole = writings(text)

    def holds(entry: LogEntry) -> bool:
        return any(form in entry.line for form in whole)

    if len(text) <= _MAX_CHARACTERS:
        return LineCondition(_line_filter(whole), holds=holds)
    start = writings(text[:_MAX_CHARACTERS])
    return LineCondition(_line_filter(start), holds=holds, precision=Precision.TOO_MUCH)


def field_is(name: str, value: Any) -> LineCondition:
    """Return the condition that the field `name` is `value`, or one of several values.

    Raises:
        SettingsError: `value` is a mapping.
    """
    values = value if isinstance(value, _ONE_OF) else [value]
    texts: set[str | None] = {text for item in values for text in _texts(name, item)}
    if not texts:
        raise SettingsError(f"where({name}={value!r}) has no value to find: name at least one.")
    if name == f.LEVEL and (detected := {text for text in texts if text in _LEVELS}):
        found = _label_is(
            f.DETECTED_LEVEL, {f.DETECTED_LEVELS.get(text or "", text) for text in detected}
        )
        other = texts - detected
        return _either(found, _line_field_is(name, other)) if other else found
    if name in LABEL_OF and None not in texts:
        return _label_is(LABEL_OF[name], texts)
    return _line_field_is(name, texts)


def _either(detected: LineCondition, written: LineCondition) -> LineCondition:
    """Return the condition for a detected level, or for another word in the line."""
    by_label, by_field = detected.label_filter, written.label_filter

    def label_filter(key: str) -> str:
        return " or ".join(each(key) for each in (by_label, by_field) if each)

    return LineCondition(
        key=written.key,
        label_filter=label_filter if by_field else None,
        holds=lambda entry: detected.holds(entry) or written.holds(entry),
        precision=written.precision,
    )


def _label_is(label: str, texts: Collection[str | None]) -> LineCondition:
    return LineCondition(
        label_filter=lambda _: _any_of(label, texts),
        holds=lambda entry: {**entry.labels, **entry.metadata}.get(label, "") in texts,
    )


def _line_field_is(name: str, texts: Collection[str | None]) -> LineCondition:
    in_metadata = name in _METADATA_ONLY

    def holds(entry: LogEntry) -> bool:
        found = _written(entry.fields.get(name))
        if in_metadata and name in entry.metadata:
            found = found - {None} | {entry.metadata[name]}
        return not found.isdisjoint(texts)

    def label_filter(key: str) -> str:
        of_line = _any_of(key, [(text or "").replace(_REPLACED, " ") for text in texts])
        return f"{of_line} or {_any_of(name, texts)}" if in_metadata else of_line

    precision = max(map(_precision, texts))
    if not can_ask_for(name) or any(len(text or "") > _MAX_CHARACTERS for text in texts):
        return LineCondition(holds=holds, precision=Precision.TOO_MUCH)
    alike = [text for text in texts if text and _WRITTEN_ALIKE.fullmatch(text)]
    line_filter = _line_filter(alike) if len(alike) == len(texts) and not in_metadata else ""
    return LineCondition(line_filter, name, label_filter, holds, precision)


def _texts(name: str, value: Any) -> Collection[str | None]:
    """Return the texts that the value may have in a line; `None` for an absent field."""
    written = json_value(value, _NO_SECRETS)
    if isinstance(written, (dict, list)):
        raise SettingsError(f"where({name}={value!r}): a field can be compared to one value only.")
    return _written(written) if written is not None else {None}


def _written(value: Any) -> set[str | None]:
    """Return the texts of a JSON value: writers differ about numbers such as `500.0` and `1e16`."""
    if value is None:
        return {None}
    if isinstance(value, str):
        return {value}
    if isinstance(value, bool):
        return {"true" if value else "false"}
    if isinstance(value, (int, float)):
        whole = isinstance(value, int) or value.is_integer()
        exact = {str(int(value)), f"{int(value)}.0"} if whole else set()
        return {repr(value), repr(value).replace("e+", "e"), *exact}
    return set()


def _precision(text: str | None) -> Precision:
    if not text or _REPLACED in text or text[0] in "{[" or len(text) > _MAX_CHARACTERS:
        return Precision.TOO_MUCH
    return Precision.UNLESS_REPLACED if " " in text else Precision.EXACT


def _any_of(label: str, texts: Collection[str | None]) -> str:
    return f"({' or '.join(sorted({_equals(label, text or '') for text in texts}))})"


def _equals(label: str, text: str) -> str:
    return f"{label}={quoted(text[: _MAX_LABEL_CHARACTERS + 1])}"


def _line_filter(texts: Collection[str]) -> str:
    return f"|= {' or '.join(quoted(text) for text in sorted(texts))}"


def writings(text: str) -> set[str]:
    """Return `text` as it is and as JSON, with and without escapes for non-ASCII characters."""
    return {text, orjson.dumps(text).decode()[1:-1], json.dumps(text)[1:-1]}
