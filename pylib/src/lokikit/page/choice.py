"""What somebody has chosen on the page, as its URL says it, and the LogQL of that choice.

The names are those of Grafana's URLs (`var-service`, `from=now-1h`), so that a link to a dashboard
leads to the same place on either.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lokikit.errors import SettingsError
from lokikit.fields import (
    CLUSTER_LABELS,
    DETECTED_LEVEL,
    LABEL_ENV,
    LABEL_SERVICE,
    METADATA_FIELDS,
    PLATFORM_METADATA,
)
from lokikit.query.client import is_log_query
from lokikit.query.line_conditions import can_ask_for, json_expression, quoted, writings
from lokikit.times import NS_PER_S, format_time, parse_duration_ns, parse_time_ns

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_AGO = re.compile(r"now-(\d+[smhdw])", re.ASCII)
_MS = re.compile(r"\d{1,15}", re.ASCII)
_NS = re.compile(r"\d{16,19}", re.ASCII)
_NS_PER_MS = 1_000_000
_TAKEN = frozenset(
    {LABEL_SERVICE, LABEL_ENV, *CLUSTER_LABELS, *METADATA_FIELDS, *PLATFORM_METADATA}
)
"""Labels of an entry: a field of the line with such a name is read into another."""
_NO_PARSER_ERRORS = "| drop __error__, __error_details__"
"""A line that is no JSON is none with that value; Loki would refuse to count it."""
KINDS = ("label", "metadata", "field")


@dataclass(frozen=True)
class FieldChoice:
    """Lines with a value, or without it.

    Args:
        kind: one of `KINDS`: where the value stands.
        name: of the label, the metadata or the field of the line.
        operator: `=` or `!=`.
        value: the text.
    """

    kind: str
    name: str
    operator: str
    value: str

    @classmethod
    def read(cls, text: str) -> FieldChoice:
        """The choice in the JSON array of a URL: `["field", "http_status", "=", "500"]`.

        Raises:
            SettingsError: it is none.
        """
        try:
            kind, name, operator, value = map(str, json.loads(text))
        except ValueError:
            kind = name = operator = value = ""
        if kind not in KINDS or operator not in {"=", "!="}:
            raise SettingsError(f"where={text!r} is no choice of a field.")
        return cls(kind, name, operator, value)

    def stages(self, number: int) -> list[str]:
        """The stages of LogQL that keep those lines.

        Args:
            number: tells its label from that of another choice.

        Raises:
            SettingsError: Loki cannot be asked for that name.
        """
        if self.kind != "field":
            if not _NAME.fullmatch(self.name):
                raise SettingsError(f"Loki cannot be asked for {self.name!r}: no LogQL names it.")
            return [f"| {self.name}{self.operator}{quoted(self.value)}"]
        if not can_ask_for(self.name):
            raise SettingsError(f"Loki cannot be asked for a field that is named {self.name!r}.")
        plain = _NAME.fullmatch(self.name) and self.name not in _TAKEN
        label = self.name if plain else f"field_{number}"
        read = label if plain else f"{label}={quoted(json_expression(self.name))}"
        # Loki reads U+FFFD of a line as a space.
        value = quoted(self.value.replace("\ufffd", " "))
        return [f"| json {read}", f"| {label}{self.operator}{value}", _NO_PARSER_ERRORS]


@dataclass(frozen=True)
class Choice:
    """Which lines of which time.

    Args:
        start_ns: the first moment.
        end_ns: the moment behind the last.
        services: any of these; all when empty, as of `envs` and `levels`.
        envs: where they run.
        levels: Loki's `detected_level`.
        text: what the lines hold; in any case when it is in small letters.
        wanted_id: a request_id or trace_id, for the dashboard of that name.
        fields: further conditions.
        logql: a query that stands in place of services and envs.
    """

    start_ns: int
    end_ns: int
    services: tuple[str, ...] = ()
    envs: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    text: str = ""
    wanted_id: str = ""
    fields: tuple[FieldChoice, ...] = field(default=())
    logql: str = ""

    @property
    def range_s(self) -> int:
        """How long the time is, in whole seconds."""
        return max(1, (self.end_ns - self.start_ns) // NS_PER_S)

    @property
    def is_metric(self) -> bool:
        """Whether the typed query is one for numbers."""
        return bool(self.logql) and not is_log_query(self.logql)

    @property
    def text_filter(self) -> str:
        """The line filter for the text; one that passes all when there is none."""
        if not self.text:
            return '|= ""'
        ways = sorted(writings(self.text))
        if self.text == self.text.lower() != self.text.upper():
            return f"|~ {quoted('(?i)' + '|'.join(map(re.escape, ways)))}"
        return f"|= {' or '.join(map(quoted, ways))}"

    @property
    def query(self) -> str:
        """The LogQL.

        Raises:
            SettingsError: Loki cannot be asked for a field.
        """
        if self.is_metric:
            return self.logql
        parts = [self.logql or self._selector]
        if self.text:
            parts.append(self.text_filter)
        if self.levels:
            parts.append(f"| {DETECTED_LEVEL}{_one_of(self.levels)}")
        for number, one in enumerate(self.fields):
            parts += one.stages(number)
        return " ".join(dict.fromkeys(parts))

    @property
    def _selector(self) -> str:
        every = f'{LABEL_SERVICE}=~".+"'
        services = f"{LABEL_SERVICE}{_one_of(self.services)}" if self.services else every
        envs = [f"{LABEL_ENV}{_one_of(self.envs)}"] if self.envs else []
        return f"{{{', '.join([services, *envs])}}}"


def _one_of(values: tuple[str, ...]) -> str:
    if len(values) == 1:
        return f"={quoted(values[0])}"
    return f"=~{quoted(alternatives(values))}"


def alternatives(values: Iterable[str]) -> str:
    """A regular expression for any of these texts."""
    return "|".join(map(re.escape, values))


def read_choice(parameters: Iterable[tuple[str, str]], now_ns: int) -> Choice:
    """The choice that the parameters of a URL hold; the last hour unless they say another time.

    Raises:
        SettingsError: one of them means nothing.
    """
    held: dict[str, list[str]] = {}
    for name, value in parameters:
        if value:
            held.setdefault(name, []).append(value)

    def every(name: str) -> tuple[str, ...]:
        return tuple(one for one in held.get(name, ()) if one != "$__all")

    def first(name: str, default: str = "") -> str:
        return held.get(name, [default])[0]

    start_ns = _moment_ns(first("from", "now-1h"), "from", now_ns)
    end_ns = _moment_ns(first("to", "now"), "to", now_ns)
    if start_ns >= end_ns:
        raise SettingsError(
            f"the time ends ({format_time(end_ns, 0)}) before it begins "
            f"({format_time(start_ns, 0)})."
        )
    return Choice(
        start_ns,
        end_ns,
        every("var-service"),
        every("var-env"),
        every(f"var-{DETECTED_LEVEL}"),
        first("var-search"),
        first("var-id"),
        tuple(map(FieldChoice.read, held.get("where", ()))),
        first("logql").strip(),
    )


def _moment_ns(text: str, name: str, now_ns: int) -> int:
    if found := _AGO.fullmatch(text):
        return now_ns - parse_duration_ns(found[1], name)
    if _MS.fullmatch(text):
        return int(text) * _NS_PER_MS
    return int(text) if _NS.fullmatch(text) else parse_time_ns(text, name, now_ns)
