"""The LogQL of the kit: dashboards, alert rules and `lokikit top` ask these questions.

A function gives an expression over a `Selection` of lines and a span of time, `5m` or one of
Grafana's variables. Line filters stand first: they are what Loki answers fastest.
"""

from __future__ import annotations

from dataclasses import dataclass

from lokikit.fields import (
    ACTION,
    CANARY_SERVICE,
    CLUSTER_LABELS,
    DETECTED_LEVEL,
    DURATION_MS,
    ERROR_LEVELS,
    EXC_TYPE,
    HTTP_METHOD,
    HTTP_ROUTE,
    HTTP_STATUS,
    LABEL_ENV,
    LABEL_SERVICE,
    LOGGER,
    REQUEST_ID,
    RUNTIME_S,
    TASK_ACTIONS,
    TASK_FAILURES,
    TASK_ID,
    TASK_NAME,
    TRACE_ID,
)

SERVICE = (LABEL_SERVICE, LABEL_ENV)
"""What makes one service: its name, and where it runs."""
TASK = (*SERVICE, TASK_NAME)
STREAM = (*SERVICE, *CLUSTER_LABELS)
ROUTE = (LABEL_SERVICE, HTTP_METHOD, HTTP_ROUTE)
EXCEPTION = (LABEL_SERVICE, EXC_TYPE)

_ERRORS = f'{DETECTED_LEVEL}=~"{"|".join(ERROR_LEVELS)}"'
_CRITICALS = f'{DETECTED_LEVEL}=~"{"|".join(ERROR_LEVELS[1:])}"'
_NOT_JSON = r"!~ `^\s*\{`"
_DROPS = (
    '|~ `lokikit: |"dropped":`',
    r'|~ `lokikit: \S+ lines dropped|lokikit: .* refused lines|"dropped":[1-9]`',
)
"""The first one, of plain words, spares most lines the second."""
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
"""What a secret looks like whatever its key is called: regular expressions of Go."""


@dataclass(frozen=True)
class Selection:
    """The lines that a query looks at.

    Args:
        service: a regular expression for the service.
        env: likewise for where it runs.
        level: likewise for Loki's `detected_level`.
        text: what the line holds, as it stands; it may not hold a backtick.
        without: a regular expression for services that are left out.
    """

    service: str = ".+"
    env: str = ".*"
    level: str = ".*"
    text: str = ""
    without: str = ""

    def lines(self, *stages: str) -> str:
        """The query for the lines themselves, narrowed by further stages."""
        parts = [self._selector()]
        if self.text:
            parts.append(f"|= `{self.text}`")
        filters = [one for one in stages if not one.startswith("| ")]
        others = [one for one in stages if one.startswith("| ")]
        if self.level != ".*":
            others.insert(0, f'| {DETECTED_LEVEL}=~"{self.level}"')
        return " ".join((*parts, *filters, *others))

    def _selector(self) -> str:
        without = f', {LABEL_SERVICE}!~"{self.without}"' if self.without else ""
        return f'{{{LABEL_SERVICE}=~"{self.service}", {LABEL_ENV}=~"{self.env}"{without}}}'


ALL = Selection()


def _has(field: str) -> str:
    return f'|= `"{field}"`'


def _parsed(*fields: str) -> str:
    """The stage that takes these fields from the line; a line without the first is left out."""
    return f'| json {", ".join(fields)} | {fields[0]}!=""'


def _sum(by: tuple[str, ...], inner: str) -> str:
    return f"sum by ({', '.join(by)}) ({inner})"


def count(query: str, span: str, by: tuple[str, ...] = SERVICE) -> str:
    """How many lines a query gives in each span."""
    return _sum(by, f"count_over_time({query} [{span}])")


def lines(selected: Selection, span: str, by: tuple[str, ...] = SERVICE) -> str:
    """How many lines came."""
    return count(selected.lines(), span, by)


def volume(selected: Selection, span: str, by: tuple[str, ...] = SERVICE) -> str:
    """How many bytes came."""
    return _sum(by, f"bytes_over_time({selected.lines()} [{span}])")


def errors(selected: Selection, span: str, by: tuple[str, ...] = SERVICE) -> str:
    """How many lines are errors or worse."""
    return count(selected.lines(f"| {_ERRORS}"), span, by)


def error_lines(selected: Selection) -> str:
    """The lines that are errors or worse."""
    return selected.lines(f"| {_ERRORS}")


def criticals(selected: Selection, span: str) -> str:
    """How many lines are critical or fatal."""
    return count(selected.lines(f"| {_CRITICALS}"), span)


def error_ratio(selected: Selection, span: str, by: tuple[str, ...] = SERVICE) -> str:
    """Which part of the lines are errors or worse; nothing for a service without any."""
    return f"{errors(selected, span, by)} / {lines(selected, span, by)}"


def exceptions(selected: Selection) -> str:
    """The lines that hold an exception."""
    return selected.lines(_has(EXC_TYPE), _parsed(EXC_TYPE))


def exceptions_in_words(selected: Selection, *fields: str) -> str:
    """The same, shown as the values of those fields."""
    words = ": ".join(f"{{{{.{one}}}}}" for one in fields)
    return f"{selected.lines(_has(EXC_TYPE), _parsed(*fields))} | line_format `{words}`"


def exception_types(selected: Selection, span: str) -> str:
    """How often each type of exception was logged."""
    return count(exceptions(selected), span, EXCEPTION)


def new_exception_types(selected: Selection, span: str) -> str:
    """How often each type was logged that did not occur in the span before."""
    now = exception_types(selected, span)
    return f"{now} unless {now.replace('])', f'] offset {span})')}"


def _requests(selected: Selection, *fields: str) -> str:
    return selected.lines(_has(HTTP_STATUS), _parsed(*fields))


def requests(selected: Selection, span: str, by: tuple[str, ...] = (HTTP_STATUS,)) -> str:
    """How many requests were answered."""
    return count(_requests(selected, HTTP_STATUS), span, by)


def request_ms(
    quantile: float, selected: Selection, span: str, by: tuple[str, ...] = SERVICE
) -> str:
    """The time in which that part of the requests was answered, in milliseconds."""
    wanted = [one for one in by if one not in STREAM]
    found = _requests(selected, DURATION_MS, *wanted)
    value = f'{found} | unwrap {DURATION_MS} | __error__=""'
    return f"quantile_over_time({quantile}, {value} [{span}]) by ({', '.join(by)})"


def _tasks(selected: Selection, actions: str, *fields: str) -> str:
    chosen = f' | {ACTION}=~"{actions}"' if actions else f' | {ACTION}!=""'
    return selected.lines(_has(TASK_NAME), _parsed(TASK_NAME, ACTION, *fields) + chosen)


def task_steps(selected: Selection, span: str, by: tuple[str, ...] = (TASK_NAME, ACTION)) -> str:
    """How often the tasks took which step."""
    return count(_tasks(selected, ""), span, by)


def task_failures(selected: Selection, span: str) -> str:
    """How often each task failed or crashed."""
    return count(failed_tasks(selected), span, TASK)


def failed_tasks(selected: Selection) -> str:
    """The lines of the tasks that failed or crashed."""
    return _tasks(selected, "|".join(TASK_FAILURES))


def task_s(quantile: float, selected: Selection, span: str) -> str:
    """The time in which that part of the runs of each task ended, in seconds."""
    ended = _tasks(selected, "", RUNTIME_S)
    value = f'{ended} | unwrap {RUNTIME_S} | __error__=""'
    return f"quantile_over_time({quantile}, {value} [{span}]) by ({TASK_NAME})"


def running_tasks(selected: Selection, span: str) -> str:
    """How many runs of each task began in the span and have no end yet."""
    return _unended(_runs(selected, span), _ends(selected, span))


def overdue_tasks(selected: Selection, after: str, span: str, whole: str) -> str:
    """How many runs of each task have no end yet, long after they began.

    Args:
        selected: which services.
        after: how long a run may take.
        span: the time before that in which they began.
        whole: both together.
    """
    return _unended(f"{_runs(selected, span)} offset {after}", _ends(selected, whole))


def _runs(selected: Selection, span: str) -> str:
    return f"{_tasks(selected, 'run', TASK_ID)} [{span}]"


def _ends(selected: Selection, span: str) -> str:
    ends = "|".join(one for one in TASK_ACTIONS if one != "run")
    return f"{_tasks(selected, ends, TASK_ID)} [{span}]"


def _unended(runs: str, ends: str) -> str:
    """Each run is a series of its own in here, so Loki's `max_query_series` bounds them."""
    begun, ended = (_sum((*TASK, TASK_ID), f"count_over_time({one})") for one in (runs, ends))
    return f"count by ({', '.join(TASK)}) ({begun} unless {ended})"


def missed_runs(selected: Selection, span: str, history: str, parts: int) -> str:
    """How many runs a task should have had in the span, of those that had none at all.

    Args:
        selected: which services.
        span: the last part of the history.
        history: the time that tells how often the task runs.
        parts: how many spans the history has.
    """
    began = _tasks(selected, "run")
    return f"({count(began, history, TASK)} / {parts}) unless {count(began, span, TASK)}"


def silence(selected: Selection, span: str, history: str) -> str:
    """How many lines came in the span, 0 for a service that only wrote in the time before."""
    return f"{lines(selected, span)} or {lines(selected, history)} * 0"


def spike(selected: Selection, span: str, history: str, parts: int, minimum: int) -> str:
    """How many times its usual volume a service writes; only where it is `minimum` lines."""
    now, usual = lines(selected, span), lines(selected, history).replace("])", f"] offset {span})")
    return f"({now} >= {minimum}) / ({usual} / {parts})"


def unparsed(selected: Selection) -> str:
    """The lines that do not begin as a JSON object does."""
    return selected.lines(_NOT_JSON)


def unparsed_of_ours(selected: Selection, span: str) -> str:
    """How many lines are no JSON object, of services whose other lines keep the contract."""
    ours = count(selected.lines(_has(LOGGER)), span)
    return f"{count(unparsed(selected), span)} and {ours}"


def secrets(selected: Selection) -> str:
    """The lines in which something looks like a secret."""
    return selected.lines(f"|~ `{'|'.join(SECRETS)}`")


def drops(selected: Selection) -> str:
    """The lines in which a part of the kit reports that it dropped some."""
    return selected.lines(*_DROPS)


def streams(selected: Selection, span: str) -> str:
    """How many streams wrote, by the labels of the contract."""
    return f"count({lines(selected, span, STREAM)})"


def of_one_id(selected: Selection, wanted: str) -> str:
    """The lines of one request or trace."""
    return selected.lines(f"| {REQUEST_ID}=`{wanted}` or {TRACE_ID}=`{wanted}`")


CANARY = Selection(service=CANARY_SERVICE)


def canary(field: str) -> str:
    """The canary's lines with that field."""
    return CANARY.lines(_has(field), _parsed(field))


def canary_number(aggregation: str, field: str, span: str) -> str:
    """A number of the canary's lines, aggregated over the span: `max`, `sum`."""
    value = f'{canary(field)} | unwrap {field} | __error__=""'
    return f"{aggregation}({aggregation}_over_time({value} [{span}]))"


def canary_latest(field: str, span: str) -> str:
    """The newest value of that number: of what is so now, an older one would be false."""
    return f'last_over_time({canary(field)} | unwrap {field} | __error__="" [{span}]) by ()'
