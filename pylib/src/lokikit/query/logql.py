"""The LogQL of dashboards, alert rules, the page and `lokikit top`.

A function returns an expression over a `Selection` of lines and a span of time, `5m` or a variable
of Grafana. Line filters stand first, because Loki answers them fastest.
"""

from __future__ import annotations

from dataclasses import dataclass

from lokikit import fields as f

SERVICE = (f.LABEL_SERVICE, f.LABEL_ENV)
"""Labels of a service: its name, and where it runs."""
TASK = (*SERVICE, f.TASK_NAME)
STREAM = (*SERVICE, *f.CLUSTER_LABELS)
ROUTE = (f.LABEL_SERVICE, f.HTTP_METHOD, f.HTTP_ROUTE)
EXCEPTION = (f.LABEL_SERVICE, f.EXC_TYPE)

_ERRORS = f'{f.DETECTED_LEVEL}=~"{"|".join(f.ERROR_LEVELS)}"'
_CRITICALS = f'{f.DETECTED_LEVEL}=~"{"|".join(f.ERROR_LEVELS[1:])}"'
_NOT_JSON = r"!~ `^\s*\{`"
_DROPS = (
    '|~ `lokikit: |"dropped":`',
    r'|~ `lokikit: \S+ lines dropped|lokikit: .* refused lines|"dropped":[1-9]`',
)
"""The first filter, of plain words, keeps most lines from the second."""
SECRETS = (
    "-----BEGIN [A-Z ]*PRIVATE KEY-----",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\bgh[pousr]_[0-9A-Za-z]{36}",
    r"\bglpat-[0-9A-Za-z_-]{20}",
    r"\bxox[abprs]-[0-9A-Za-z-]{10}",
    r"\bsk_live_[0-9A-Za-z]{16}",
    r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.",
    r"[a-z]://[^/\s:@]+:[^/\s:@]+@",
    r"(?:Bearer|Basic) [0-9A-Za-z._~+/-]{20}",
)
"""Regular expressions of Go for secrets under any key."""


@dataclass(frozen=True)
class Selection:
    """The lines that a query looks at.

    Args:
        service: regular expression for the service.
        env: regular expression for its environment.
        level: regular expression for Loki's `detected_level`.
        text: text in the line, without a backtick.
        without: regular expression for services to leave out.
    """

    service: str = ".+"
    env: str = ".*"
    level: str = ".*"
    text: str = ""
    without: str = ""

    def lines(self, *stages: str) -> str:
        """Return the log query, narrowed by further stages."""
        parts = [self._selector()]
        if self.text:
            parts.append(f"|= `{self.text}`")
        filters = [stage for stage in stages if not stage.startswith("| ")]
        others = [stage for stage in stages if stage.startswith("| ")]
        if self.level != ".*":
            others.insert(0, f'| {f.DETECTED_LEVEL}=~"{self.level}"')
        return " ".join((*parts, *filters, *others))

    def _selector(self) -> str:
        without = f', {f.LABEL_SERVICE}!~"{self.without}"' if self.without else ""
        return f'{{{f.LABEL_SERVICE}=~"{self.service}", {f.LABEL_ENV}=~"{self.env}"{without}}}'


ALL = Selection()


def with_field(field: str) -> str:
    """Return the stage that keeps lines with the field in quotes, before any parsing."""
    return f'|= `"{field}"`'


def parsed(*fields: str) -> str:
    """Return the stage that parses these fields; lines without the first are left out."""
    return f'| json {", ".join(fields)} | {fields[0]}!=""'


def total(by: tuple[str, ...], inner: str) -> str:
    """Return a sum for each combination of these labels."""
    return f"sum by ({', '.join(by)}) ({inner})"


def count(query: str, span: str, by: tuple[str, ...] = SERVICE) -> str:
    """Return the number of lines of a query in each span."""
    return total(by, f"count_over_time({query} [{span}])")


def lines(selected: Selection, span: str, by: tuple[str, ...] = SERVICE) -> str:
    """Return the number of lines."""
    return count(selected.lines(), span, by)


def volume(selected: Selection, span: str, by: tuple[str, ...] = SERVICE) -> str:
    """Return the number of bytes."""
    return total(by, f"bytes_over_time({selected.lines()} [{span}])")


def errors(selected: Selection, span: str, by: tuple[str, ...] = SERVICE) -> str:
    """Return the number of lines that are errors or worse."""
    return count(selected.lines(f"| {_ERRORS}"), span, by)


def error_lines(selected: Selection) -> str:
    """Return the lines that are errors or worse."""
    return selected.lines(f"| {_ERRORS}")


def criticals(selected: Selection, span: str) -> str:
    """Return the number of lines that are critical or fatal."""
    return count(selected.lines(f"| {_CRITICALS}"), span)


def error_ratio(selected: Selection, span: str) -> str:
    """Return the share of lines that are errors or worse; no series for a service without any."""
    return f"{errors(selected, span)} / {lines(selected, span)}"


def steady_error_ratio(selected: Selection, span: str, minimum: int) -> str:
    """Return the share for a graph: 0 without errors, and no value for a span with too few lines.

    Args:
        selected: lines of the services.
        span: span of a point.
        minimum: number of lines in a span from which on a single error makes no spike.
    """
    all_lines = lines(selected, span)
    failed = f"({errors(selected, span)} or {all_lines} * 0)"
    return f"{failed} / ({all_lines} >= {minimum})"


def before(query: str, span: str) -> str:
    """Return the query for the time that lies `span` before."""
    return query.replace("])", f"] offset {span})")


def services_count(selected: Selection, span: str) -> str:
    """Return the number of services with lines, 0 without lines."""
    return f"count({lines(selected, span)}) or vector(0)"


def lines_per_minute(selected: Selection, span: str) -> str:
    """Return the number of lines in a minute of the span, 0 without lines."""
    return f"sum(rate({selected.lines()} [{span}])) * 60 or vector(0)"


def total_error_ratio(selected: Selection, span: str) -> str:
    """Return the share of all lines that are errors or worse; no value without lines."""
    failed, written = (
        f"sum(count_over_time({query} [{span}]))"
        for query in (error_lines(selected), selected.lines())
    )
    return f"({failed} or {written} * 0) / {written}"


def exceptions(selected: Selection) -> str:
    """Return the lines that hold an exception."""
    return selected.lines(with_field(f.EXC_TYPE), parsed(f.EXC_TYPE))


def exception_types(selected: Selection, span: str) -> str:
    """Return the number of exceptions of each type."""
    return count(exceptions(selected), span, EXCEPTION)


def new_exception_types(selected: Selection, span: str) -> str:
    """Return the number of exceptions of each type that its service did not log in the span before.

    A service without lines in that span is left out, because all of its types would be new.
    """
    now = exception_types(selected, span)
    known = before(lines(selected, span, (f.LABEL_SERVICE,)), span)
    return f"{now} unless {before(now, span)} and on ({f.LABEL_SERVICE}) {known}"


def _requests(selected: Selection, *fields: str) -> str:
    return selected.lines(with_field(f.HTTP_STATUS), parsed(*fields))


def requests(selected: Selection, span: str, by: tuple[str, ...] = (f.HTTP_STATUS,)) -> str:
    """Return the number of requests."""
    return count(_requests(selected, f.HTTP_STATUS), span, by)


def request_ms(
    quantile: float, selected: Selection, span: str, by: tuple[str, ...] = SERVICE
) -> str:
    """Return a quantile of the duration of requests, in milliseconds."""
    wanted = [label for label in by if label not in STREAM]
    found = _requests(selected, f.DURATION_MS, *wanted)
    value = f'{found} | unwrap {f.DURATION_MS} | __error__=""'
    return f"quantile_over_time({quantile}, {value} [{span}]) by ({', '.join(by)})"


def silence(selected: Selection, span: str, history: str) -> str:
    """Return the number of lines in the span, 0 for a service that wrote only before it."""
    return f"{lines(selected, span)} or {lines(selected, history)} * 0"


def spike(selected: Selection, span: str, history: str, parts: int, minimum: int) -> str:
    """Return the volume of a service relative to its usual volume, from `minimum` lines on."""
    now, usual = lines(selected, span), before(lines(selected, history), span)
    return f"({now} >= {minimum}) / ({usual} / {parts})"


def unparsed(selected: Selection) -> str:
    """Return the lines that do not begin like a JSON object."""
    return selected.lines(_NOT_JSON)


def unparsed_of_ours(selected: Selection, span: str) -> str:
    """Return the number of lines that are no JSON object, of services with lines of the kit."""
    ours = count(selected.lines(with_field(f.LOGGER)), span)
    return f"{count(unparsed(selected), span)} and {ours}"


def secrets(selected: Selection) -> str:
    """Return the lines that hold a text like a secret."""
    return selected.lines(f"|~ `{'|'.join(SECRETS)}`")


def drops(selected: Selection) -> str:
    """Return the lines in which a part of the kit reports dropped lines."""
    return selected.lines(*_DROPS)


def streams(selected: Selection, span: str) -> str:
    """Return the number of streams, by the labels of the contract."""
    return f"count({lines(selected, span, STREAM)})"


def of_one_id(selected: Selection, wanted: str) -> str:
    """Return the lines of a request or trace."""
    return selected.lines(f"| {f.REQUEST_ID}=`{wanted}` or {f.TRACE_ID}=`{wanted}`")


CANARY = Selection(service=f.CANARY_SERVICE)


def canary(field: str) -> str:
    """Return the canary's lines with a field."""
    return CANARY.lines(with_field(field), parsed(field))


def canary_number(aggregation: str, field: str, span: str) -> str:
    """Return a number of the canary's lines, aggregated over the span: `max`, `sum`."""
    value = f'{canary(field)} | unwrap {field} | __error__=""'
    return f"{aggregation}({aggregation}_over_time({value} [{span}]))"


def canary_latest(field: str, span: str) -> str:
    """Return the newest value of a number of the canary, for a state that changes."""
    return f'last_over_time({canary(field)} | unwrap {field} | __error__="" [{span}]) by ()'
