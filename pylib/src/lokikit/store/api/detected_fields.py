"""`detected_fields` and `detected_field/NAME/values`: the fields that some lines have.

Explore and Drilldown query these to offer filters.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.store.api.parameters import (
    QUERY_SINCE_NS,
    Span,
    read_positive_limit,
    read_span,
    read_step,
)
from lokikit.store.integers import read_decimal
from lokikit.store.logql.labels_builder import ERROR, ERROR_DETAILS, Processed
from lokikit.store.logql.limits import check_entries
from lokikit.store.logql.parser import parse_log_query
from lokikit.store.logql.pipeline import Pipeline, compile_pipeline
from lokikit.store.logql.pipeline_syntax import JsonParser, LogfmtParser
from lokikit.store.logql.units import MAX_NS, parse_bytes
from lokikit.store.logql.unwrapping import parse_number
from lokikit.store.rows import Row

if TYPE_CHECKING:
    from lokikit.store.api.engine import Engine
    from lokikit.store.api.http import Form
    from lokikit.store.logql.syntax import LogExpression

DEFAULT_LINES = 100
DEFAULT_FIELDS = 1000
_NAMES_OF_ERRORS = {ERROR, ERROR_DETAILS}
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_INT64 = 1 << 63
_DURATION = re.compile(
    r"[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)((\d+\.?\d*)(ns|us|µs|ms|s|m|h))*"
)
_BOOLEANS = {"true", "false"}
_JSON, _LOGFMT = "json", "logfmt"


@dataclass(frozen=True)
class FieldRequest:
    """The parameters of a request; `lines` is the number of lines to read."""

    query: LogExpression
    span: Span
    lines: int
    limit: int


@dataclass
class DetectedField:
    """One field.

    Args:
        values: that were seen.
        parsers: that find it; none for structured metadata.
        path: in a JSON line.
    """

    values: dict[str, None] = field(default_factory=dict)
    parsers: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)

    def described(self, name: str) -> dict[str, Any]:
        """The field as it is answered."""
        described = {
            "label": name,
            "type": _kind(self.values),
            "cardinality": len(self.values),
            "parsers": sorted(self.parsers, reverse=True) or None,
        }
        return {**described, "jsonPath": self.path} if self.path else described


def read_fields(form: Form, now_ns: int, max_lines: int) -> FieldRequest:
    """The request.

    Args:
        form: the parameters.
        now_ns: the time of the request.
        max_lines: number of lines that it may read.

    Raises:
        QueryError: a parameter is wrong.
        LimitError: it names more lines.
    """
    query = parse_log_query(form.get("query"))
    span = read_span(form, now_ns, QUERY_SINCE_NS)
    read_step(form, span, MAX_NS)
    lines = read_positive_limit(form, "line_limit", DEFAULT_LINES)
    fields = read_positive_limit(form, "field_limit", DEFAULT_FIELDS)
    limit = read_positive_limit(form, "limit", fields)
    check_entries(lines, max_lines)
    return FieldRequest(query, span, lines, limit)


def fields_answer(
    engine: Engine, request: FieldRequest, check: Callable[[], None]
) -> dict[str, Any]:
    """The fields of the newest lines, in the order in which Loki meets them."""
    found = _detect(sorted(_newest(engine, request, check), key=_met_by_loki))
    fields = [one.described(name) for name, one in islice(found.items(), request.limit)]
    return {"fields": fields, "limit": request.limit} if fields else {}


def values_answer(
    engine: Engine, request: FieldRequest, name: str, check: Callable[[], None]
) -> dict[str, Any]:
    """The values of one field in the newest lines."""
    found = _detect(_newest(engine, request, check)).get(name)
    values = list(islice(found.values, request.limit)) if found else []
    return {"values": values, "limit": request.limit} if values else {}


def _newest(
    engine: Engine, request: FieldRequest, check: Callable[[], None]
) -> Iterator[Processed]:
    span = request.span
    entries = engine.evaluator(check).stream_entries(
        request.query, span.start_ns, span.behind_ns, "backward"
    )
    return islice(entries, request.lines)


def _detect(entries: Iterable[Processed]) -> dict[str, DetectedField]:
    fields = dict[str, DetectedField]()
    for entry in entries:
        for name, value in entry.metadata.items():
            fields.setdefault(name, DetectedField()).values[value] = None
        for parser, name, value in _parsed(entry):
            one = fields.setdefault(name, DetectedField())
            one.values[value] = None
            if parser not in one.parsers:
                one.parsers.append(parser)
        for name, path in _paths(entry.line):
            if (known := fields.get(name)) and _JSON in known.parsers and not known.path:
                known.path = path
    return fields


def _met_by_loki(entry: Processed) -> tuple[list[tuple[str, str]], int]:
    """Orders the lines as Loki looks at them: the first value of a field decides its type."""
    return sorted(entry.stream.items()), entry.timestamp_ns


@functools.cache
def _parsers() -> tuple[tuple[str, Pipeline], ...]:
    stages = ((_JSON, JsonParser()), (_LOGFMT, LogfmtParser()))
    return tuple((name, compile_pipeline((stage,))) for name, stage in stages)


def _parsed(entry: Processed) -> Iterator[tuple[str, str, str]]:
    """Parser, name and value of each field of a line."""
    if own := _without_errors(entry.parsed):
        parser = _JSON if entry.line.lstrip().startswith("{") else _LOGFMT
        yield from ((parser, name, value) for name, value in own.items())
        return
    row = Row(entry.timestamp_ns, entry.stream, entry.metadata, entry.line)
    for parser, pipeline in _parsers():
        processed = pipeline.process(row)
        if processed is None or ERROR in processed.parsed:
            continue
        if found := _without_errors(processed.parsed):
            yield from ((parser, name, value) for name, value in found.items())
            return


def _without_errors(parsed: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in parsed.items() if name not in _NAMES_OF_ERRORS}


def _paths(line: str) -> Iterable[tuple[str, list[str]]]:
    try:
        content = orjson.loads(line)
    except orjson.JSONDecodeError:
        return ()
    try:
        return list(_walk(content, [])) if isinstance(content, dict) else ()
    except RecursionError:  # deeper than anything that has a use as a field
        return ()


def _walk(content: dict[str, Any], path: list[str]) -> Iterator[tuple[str, list[str]]]:
    for key, value in content.items():
        here = [*path, key]
        if isinstance(value, dict):
            yield from _walk(value, here)
        else:
            yield re.sub(r"\W", "_", "_".join(here), flags=re.ASCII), here


def _kind(values: Iterable[str]) -> str:
    """The type that the first value has, as Loki decides it."""
    value = next(iter(values), "")
    if _INTEGER.fullmatch(value) and -_INT64 <= read_decimal(value) < _INT64:
        return "int"
    if _is_read_by(parse_number, value):
        return "float"
    if value in _BOOLEANS:
        return "boolean"
    if _DURATION.fullmatch(value):
        return "duration"
    return "bytes" if _is_read_by(parse_bytes, value) else "string"


def _is_read_by(parse: Callable[[str], float], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True
