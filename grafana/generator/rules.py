"""The alert rules: what each asks, on which side of its threshold, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from grafana.generator.board import PIPELINE, SERVICE, SERVICES, TASKS

from lokikit.fields import CANARY_SEQ, LABEL_SERVICE, TASK_NAME
from lokikit.query import logql as queries
from lokikit.query import task_logql as task_queries
from lokikit.query.logql import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana.generator.settings import Numbers, Settings

Expression = Callable[[Selection, "Numbers"], str]
_WHO = f"{{{{ .Labels.{LABEL_SERVICE} }}}}"
_TASK = f"Task {{{{ .Labels.{TASK_NAME} }}}} of {_WHO}"
_VALUE = "{{ humanize .Values.B.Value }}"
_PERCENT = "{{ humanizePercentage .Values.B.Value }}"


@dataclass(frozen=True)
class Rule:
    """One alert rule.

    Args:
        uid: its section of `grafana/settings.yaml` and `grafana/RUNBOOKS.md`; never changes.
        title: what it is called.
        expression: its query, of a choice of services.
        breach: on which side of the threshold.
        severity: `critical` wakes somebody, `warning` can wait for the day.
        summary: what the one who is told reads first; a template of Grafana.
        dashboard: where to look then.
        panel: its panel there, by id.
        no_data: what the absence of data means.
        on_error: what a Loki that does not answer means; one rule tells of that, not all.
        per_service: whether one service can be set otherwise.
        counted: True when its breaches of now and of a time before can be counted at a glance:
            cheap to ask, and without an `offset` of its own.
    """

    uid: str
    title: str
    expression: Expression
    severity: Literal["critical", "warning"]
    summary: str
    dashboard: str
    panel: int
    breach: Literal["gt", "lt"] = "gt"
    no_data: Literal["OK", "Alerting"] = "OK"
    on_error: Literal["KeepLast", "Alerting"] = "KeepLast"
    per_service: bool = True
    counted: bool = False

    def variants(self, settings: Settings) -> Iterator[tuple[str, Selection, Numbers]]:
        """The rule for all services, and for each that is set otherwise.

        Service (empty for all), the lines that it looks at, and what it is set to.
        """
        own = settings.services.get(self.uid, {})
        yield "", Selection(without="|".join(own)), settings.rules[self.uid]
        for service, numbers in own.items():
            yield service, Selection(service=service), numbers


def _error_ratio(chosen: Selection, set_to: Numbers) -> str:
    enough = f"{queries.lines(chosen, set_to.window)} >= {set_to.minimum}"
    return f"{queries.error_ratio(chosen, set_to.window)} and ({enough})"


def _slow(chosen: Selection, set_to: Numbers) -> str:
    slow = queries.request_ms(set_to.quantile, chosen, set_to.window)
    enough = f"{queries.requests(chosen, set_to.window, queries.SERVICE)} >= {set_to.minimum}"
    return f"{slow} and ({enough})"


def _spike(chosen: Selection, set_to: Numbers) -> str:
    span, history = set_to.window, set_to.history
    return queries.spike(chosen, span, history, set_to.parts, set_to.minimum)


def _overdue(chosen: Selection, set_to: Numbers) -> str:
    return task_queries.overdue(chosen, set_to.after, set_to.window, set_to.whole)


def _missed(chosen: Selection, set_to: Numbers) -> str:
    return task_queries.missed(chosen, set_to.window, set_to.history, set_to.parts)


def _canary(_: Selection, set_to: Numbers) -> str:
    return f"sum(count_over_time({queries.canary(CANARY_SEQ)} [{set_to.window}]))"


RULES = (
    Rule(
        "error-ratio",
        "Many errors",
        _error_ratio,
        "critical",
        f"{_PERCENT} of the lines of {_WHO} are errors",
        SERVICE,
        2,
        counted=True,
    ),
    Rule(
        "any-critical",
        "Critical line",
        lambda chosen, set_to: queries.criticals(chosen, set_to.window),
        "critical",
        f"{_WHO} logged {_VALUE} critical lines",
        SERVICE,
        1,
        counted=True,
    ),
    Rule(
        "any-error",
        "Error line",
        lambda chosen, set_to: queries.errors(chosen, set_to.window),
        "warning",
        f"{_WHO} logged {_VALUE} errors",
        SERVICE,
        1,
    ),
    Rule(
        "service-silent",
        "Service silent",
        lambda chosen, set_to: queries.silence(chosen, set_to.window, set_to.history),
        "critical",
        f"{_WHO} has stopped logging",
        SERVICES,
        1,
        breach="lt",
        no_data="Alerting",
        counted=True,
    ),
    Rule(
        "volume-spike",
        "Volume spike",
        _spike,
        "warning",
        f"{_WHO} writes {_VALUE} times as much as usual",
        SERVICE,
        1,
    ),
    Rule(
        "slow-requests",
        "Slow requests",
        _slow,
        "warning",
        f"Requests to {_WHO} take {_VALUE} ms",
        SERVICE,
        3,
        counted=True,
    ),
    Rule(
        "task-failed",
        "Task failed",
        lambda chosen, set_to: task_queries.failures(chosen, set_to.window),
        "warning",
        f"{_TASK} failed {_VALUE} times",
        TASKS,
        4,
        counted=True,
    ),
    Rule(
        "task-overdue",
        "Task overdue",
        _overdue,
        "warning",
        f"{_TASK} has {_VALUE} runs without an end",
        TASKS,
        6,
    ),
    Rule(
        "task-missed",
        "Task missed",
        _missed,
        "warning",
        f"{_TASK} did not run; {_VALUE} runs would be usual",
        TASKS,
        2,
    ),
    Rule(
        "secrets-logged",
        "Secrets in logs",
        lambda chosen, set_to: queries.count(queries.secrets(chosen), set_to.window),
        "critical",
        f"{_WHO} logged {_VALUE} lines that seem to hold a secret",
        SERVICE,
        8,
    ),
    Rule(
        "unparsed-lines",
        "Unparsed lines",
        lambda chosen, set_to: queries.unparsed_of_ours(chosen, set_to.window),
        "warning",
        f"{_WHO} wrote {_VALUE} lines that are no JSON",
        PIPELINE,
        7,
        counted=True,
    ),
    Rule(
        "pipeline-silent",
        "Pipeline silent",
        _canary,
        "critical",
        "The canary's lines do not come back: no log arrives, so no other alert can",
        PIPELINE,
        3,
        breach="lt",
        no_data="Alerting",
        on_error="Alerting",
        per_service=False,
    ),
)


def breaches_count(settings: Settings) -> str:
    """How many series are over the threshold of a rule, of the rules that are counted."""
    signs = {"gt": ">", "lt": "<"}
    counts = [
        f"(count(({rule.expression(chosen, numbers)}) {signs[rule.breach]} {numbers.threshold})"
        " or vector(0))"
        for rule in RULES
        if rule.counted
        for _, chosen, numbers in rule.variants(settings)
        if numbers.enabled
    ]
    return " + ".join(counts)
