"""The choice of lines in a URL of the page, and its LogQL.

The names are the same as in Grafana's URLs (`var-service`, `from=now-1h`), so that a link to a
dashboard leads to the same place on either.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from lokikit import fields as f
from lokikit.errors import SettingsError
from lokikit.query.client import is_log_query
from lokikit.query.line_conditions import can_ask_for, json_expression, quoted, writings
from lokikit.times import NS_PER_MS, NS_PER_S, format_time, parse_duration_ns, parse_time_ns

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_AGO = re.compile(r"now-(\d+[smhdw])", re.ASCII)
_MS = re.compile(r"\d{1,15}", re.ASCII)
_NS = re.compile(r"\d{16,19}", re.ASCII)
_TAKEN = frozenset(
    {f.LABEL_SERVICE, f.LABEL_ENV, *f.CLUSTER_LABELS, *f.METADATA_FIELDS, *f.PLATFORM_METADATA}
)
"""Labels of an entry: a field of the line with the same name is read into another label."""
_NO_PARSER_ERRORS = "| drop __error__, __error_details__"
"""Without it Loki refuses to count lines that are no JSON."""
KINDS = ("label", "metadata", "field")


@dataclass(frozen=True)
class FieldChoice:
    """A condition on a label, metadata, or a field of the line; `kind` is a word of `KINDS`."""

    kind: str
    name: str
    operator: str
    value: str

    @classmethod
    def read(cls, text: str) -> FieldChoice:
        """Return the choice in the JSON array of a URL: `["field", "http_status", "=", "500"]`.

        Raises:
            SettingsError: the text is no choice.
        """
        try:
            kind, name, operator, value = map(str, json.loads(text))
        except ValueError:
            kind = name = operator = value = ""
        if kind not in KINDS or operator not in {"=", "!="}:
            raise SettingsError(f"where={text!r} is no choice of a field.")
        return cls(kind, name, operator, value)

    def stages(self, number: int) -> list[str]:
        """Return the stages of LogQL that keep the chosen lines.

        Args:
            number: number of the choice, for a unique label.

        Raises:
            SettingsError: LogQL cannot express that name.
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
    """The chosen lines and their span.

    Args:
        start_ns: first moment.
        end_ns: moment behind the last.
        services: services; all when empty, as for `envs` and `levels`.
        envs: environments.
        levels: values of Loki's `detected_level`.
        text: text in the lines; case matters only if it has capitals.
        wanted_id: a request_id or trace_id, for the dashboard of that name.
        fields: further conditions.
        logql: a query in place of services and envs.
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
        """Length of the span in whole seconds."""
        return max(1, (self.end_ns - self.start_ns) // NS_PER_S)

    @property
    def is_metric(self) -> bool:
        """True when the typed query is a metric query."""
        return bool(self.logql) and not is_log_query(self.logql)

    @property
    def text_filter(self) -> str:
        """The line filter for the text; without a text it passes all lines."""
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
            SettingsError: LogQL cannot express the name of a field.
        """
        if self.is_metric:
            return self.logql
        parts = [self.logql or self._selector]
        if self.text:
            parts.append(self.text_filter)
        if self.levels:
            parts.append(f"| {f.DETECTED_LEVEL}{_one_of(self.levels)}")
        for number, one in enumerate(self.fields):
            parts += one.stages(number)
        return " ".join(dict.fromkeys(parts))

    @property
    def _selector(self) -> str:
        every = f'{f.LABEL_SERVICE}=~".+"'
        services = f"{f.LABEL_SERVICE}{_one_of(self.services)}" if self.services else every
        envs = [f"{f.LABEL_ENV}{_one_of(self.envs)}"] if self.envs else []
        return f"{{{', '.join([services, *envs])}}}"


def _one_of(values: tuple[str, ...]) -> str:
    if len(values) == 1:
        return f"={quoted(values[0])}"
    return f"=~{quoted(alternatives(values))}"


def alternatives(values: Iterable[str]) -> str:
    """Return a regular expression for any of these texts."""
    return "|".join(map(re.escape, values))


def read_choice(parameters: Iterable[tuple[str, str]], now_ns: int) -> Choice:
    """Return the choice in the parameters of a URL; its span is the last hour by default.

    Raises:
        SettingsError: a parameter is wrong.
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
        every(f"var-{f.DETECTED_LEVEL}"),
        first("var-search"),
        first("var-id"),
        tuple(map(FieldChoice.read, held.get("where", ()))),
        first("logql").strip(),
    )


def _moment_ns(text: str, name: str, now_ns: int) -> int:
    if found := _AGO.fullmatch(text):
        return now_ns - parse_duration_ns(found[1], name)
    if _MS.fullmatch(text):
        return int(text) * NS_PER_MS
    return int(text) if _NS.fullmatch(text) else parse_time_ns(text, name, now_ns)
