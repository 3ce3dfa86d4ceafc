"""The SQL of a label: stream label first, then structured metadata, then a field of the line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lokikit.fields import DETECTED_LEVEL
from lokikit.store.segments.schema import HOT_FIELDS, hot_column
from lokikit.store.sql.predicates import NotProvenError, literal

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import JsonParser

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_HOT = frozenset(HOT_FIELDS)
_MAX_CASES = 200
_TEXT_TYPES = "('VARCHAR', 'BIGINT', 'UBIGINT', 'BOOLEAN')"
_OTHER_TYPES = "('DOUBLE', 'ARRAY', 'OBJECT', 'HUGEINT')"
ERROR_LABELS = frozenset({"__error__", "__error_details__"})


@dataclass(frozen=True)
class Label:
    """How SQL reads one label of a row.

    Args:
        sql: the text, NULL where the row lacks the label.
        hard: conditions, never NULL, of rows whose label SQL does not know.
        hot_field: the field whose column `sql` is, where it is nothing else.
    """

    sql: str
    hard: tuple[str, ...] = ()
    hot_field: str | None = None


@dataclass(frozen=True)
class StreamLabels:
    """The selected streams, as SQL reads their labels.

    Args:
        labels: id of a stream -> its labels.
        joined: True where `s."l_NAME"` holds the label of each row's stream.
    """

    labels: Mapping[int, Mapping[str, str]]
    joined: bool = True
    _held: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    def held(self, name: str) -> int:
        """How many of the streams have that label."""
        if name not in self._held:
            self._held[name] = sum(name in one for one in self.labels.values())
        return self._held[name]

    def in_all(self, name: str) -> bool:
        """True when each stream has that label, so that the name can mean nothing else."""
        return self.held(name) == len(self.labels)

    def sql(self, name: str) -> str | None:
        """The SQL of the label, None where no stream has it."""
        if not self.held(name):
            return None
        return stream_column(name) if self.joined else self._cases(name)

    def _cases(self, name: str) -> str:
        if len(self.labels) > _MAX_CASES:
            raise NotProvenError("too many streams")
        values: dict[str, list[str]] = {}
        for number, labels in self.labels.items():
            if name in labels:
                values.setdefault(labels[name], []).append(str(number))
        whens = (
            f"WHEN stream IN ({', '.join(numbers)}) THEN {literal(value)}"
            for value, numbers in values.items()
        )
        return f"CASE {' '.join(whens)} END"


def stream_column(name: str) -> str:
    """The column of the joined streams that holds this label."""
    return f's."l_{name}"'


@dataclass
class Parsed:
    """Which fields of the line are labels at this point of the pipeline.

    Args:
        is_whole: after `| json`.
        fields: after `| json label="field"`: label -> top-level field.
    """

    is_whole: bool = False
    fields: dict[str, str] = field(default_factory=dict)

    def add(self, stage: JsonParser) -> None:
        """Take a parser in.

        Raises:
            NotProvenError: it reads below the top level, or names clash.
        """
        if self.is_whole or (self.fields and not stage.extractions):
            raise NotProvenError("several parsers")
        self.is_whole = not stage.extractions
        for one in stage.extractions:
            if one.label in self.fields or not _NAME.fullmatch(one.label):
                raise NotProvenError(f"label {one.label}")
            if not _NAME.fullmatch(one.expression):
                raise NotProvenError(f"expression {one.expression}")
            self.fields[one.label] = one.expression

    def label(self, name: str) -> Label | None:
        """How the parsed label is read; None where no line has it."""
        if self.is_whole:
            return _hot(name) if name in _HOT else _whole_cold(name)
        if name not in self.fields:
            return None
        wanted = self.fields[name]
        found = _hot(wanted) if wanted in _HOT else _cold(wanted)
        return Label(f"coalesce({found.sql}, '')", found.hard, found.hot_field)


def _hot(name: str) -> Label:
    return Label(hot_column(name), hot_field=name)


def _cold(name: str) -> Label:
    """A field without a column, of a line that is plain."""
    key = literal(f'"{name}":')
    path = literal(f"$.{name}")
    kind = f"json_type(line, {path})"
    held = f"(NOT odd AND contains(line, {key}))"
    text = f"json_extract_string(line, {path})"
    unknown = f"coalesce({kind} IN {_OTHER_TYPES}, FALSE) OR contains(line, '\\u0000')"
    return Label(
        f"CASE WHEN {held} THEN CASE WHEN {kind} IN {_TEXT_TYPES} THEN {text} END END",
        (f"CASE WHEN {held} THEN {unknown} ELSE FALSE END",),
    )


def _whole_cold(name: str) -> Label:
    """The same after `| json`, where nested objects give flattened names."""
    cold = _cold(name)
    parts = name.split("_")
    outer = ["_".join(parts[:count]) for count in range(1, len(parts))]
    nested = tuple(
        f"contains(line, {literal(text)})"
        for one in outer
        if one
        for text in (f'"{one}":{{', f'"{one}": {{')
    )
    return Label(cold.sql, (*cold.hard, *nested))


@dataclass(frozen=True)
class RowTraits:
    """Facts that hold for all rows of some parts.

    Args:
        metadata: names that structured metadata may have; None when all are possible.
        numeric: hot fields that have nothing but plain numbers in plain rows.
        keyed: hot fields without a value in each plain row that has not their key in quotes.
    """

    metadata: frozenset[str] | None = None
    numeric: frozenset[str] = frozenset()
    keyed: frozenset[str] = frozenset()


UNKNOWN_ROWS = RowTraits()


class Names:
    """How SQL reads each label at one point of a pipeline."""

    def __init__(self, streams: StreamLabels, traits: RowTraits = UNKNOWN_ROWS) -> None:
        self.streams, self.traits = streams, traits
        self.parsed = Parsed()
        self.dropped: set[str] = set()
        self.kept: set[str] | None = None

    @property
    def has_lost(self) -> bool:
        """True when labels were dropped."""
        return bool(self.dropped) or self.kept is not None

    def label(self, name: str) -> Label:
        """How that label is read.

        Raises:
            NotProvenError: the label may be renamed by a clash.
        """
        if not _NAME.fullmatch(name) or name.endswith("_extracted"):
            raise NotProvenError(f"label {name}")
        if name in ERROR_LABELS or name in self.dropped:
            return Label("NULL")
        if self.kept is not None and name not in self.kept:
            return Label("NULL")
        return self._resolved(name)

    def _resolved(self, name: str) -> Label:
        stream = self.streams.sql(name)
        if stream and self.streams.in_all(name):
            return Label(stream)
        found = [one for one in (stream, self._metadata_sql(name)) if one]
        parsed = self.parsed.label(name)
        if parsed is None:
            return Label(_first(found))
        if not found:
            return parsed
        without = f"coalesce({', '.join(found)}) IS NULL"
        hard = tuple(f"({without} AND {one})" for one in parsed.hard)
        return Label(_first([*found, parsed.sql]), hard)

    def _metadata_sql(self, name: str) -> str | None:
        if name == DETECTED_LEVEL:
            return "level"
        known = self.traits.metadata
        if known is not None and name not in known:
            return None
        key, path = literal(f'"{name}":'), literal(f"$.{name}")
        return f"CASE WHEN contains(meta, {key}) THEN json_extract_string(meta, {path}) END"


def _first(texts: list[str]) -> str:
    if not texts:
        return "NULL"
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"
