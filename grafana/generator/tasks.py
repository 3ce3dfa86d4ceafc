"""The dashboard *Tasks*: background jobs that log one line per step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.generator.board import CHOSEN, PLACE, TASKS, board, named, to_service
from grafana.generator.panels import graph, lines
from grafana.generator.tables import rows, step, trends
from grafana.generator.targets import RANGE, STEP, at_once, found, over_time

from lokikit.fields import ACTION, LABEL_ENV, LABEL_SERVICE, TASK_NAME
from lokikit.query import task_logql as task_queries
from lokikit.query.readable_logql import readable

if TYPE_CHECKING:
    from grafana.generator.panels import Panel
    from grafana.generator.settings import Numbers
    from grafana_foundation_sdk.builders.dashboard import Dashboard

_NO_TASKS = "No tasks in this time: a worker shows them once it logs the steps of its tasks."
_TASK = f"{{{{{TASK_NAME}}}}}"
_COLOURS = {
    "run": "blue",
    "success": "green",
    "fail": "red",
    "crash": "purple",
    "terminate": "orange",
    "inaction": "text",
}


def tasks(overdue: Numbers) -> Dashboard:
    """All tasks: what ran, how it ended, how long it took, what hangs.

    Args:
        overdue: what the rule of that name is set to.
    """
    return board(
        TASKS,
        "Tasks",
        "Background tasks: runs, successes, failures and durations; what runs and what hangs.",
        [
            (12, 9, _outcomes()),
            (12, 9, _steps()),
            (12, 8, _durations()),
            (12, 8, _failures()),
            (12, 7, _running(overdue)),
            (12, 7, _overdue(overdue)),
            (24, 14, _last_failures()),
        ],
    )


def _outcomes() -> Panel:
    matrix = {"rowField": TASK_NAME, "columnField": ACTION, "valueField": "Value #A"}
    return rows(
        "Tasks by outcome",
        "How often each task began (run) and how its runs ended.",
        [at_once(task_queries.steps(PLACE, RANGE))],
        names={f"{TASK_NAME}\\{ACTION}": "Task"},
        steps=[step("merge"), step("groupingToMatrix", **matrix)],
        empty=_NO_TASKS,
    )


def _steps() -> Panel:
    return graph(
        "Steps over time",
        "How many runs began and ended, by outcome.",
        [over_time(task_queries.steps(PLACE, STEP, (ACTION,)), f"{{{{{ACTION}}}}}")],
        bars=True,
        colours=_COLOURS,
        empty=_NO_TASKS,
    )


def _durations() -> Panel:
    return trends(
        "Durations",
        "The time in which half and 95 % of the runs of a task ended: the newest, and its course.",
        {
            name: over_time(task_queries.seconds(value, PLACE, STEP), f"{name} {_TASK}")
            for name, value in (("p50", 0.5), ("p95", 0.95))
        },
        names={TASK_NAME: "Task"},
        unit="s",
        empty=_NO_TASKS,
    )


def _failures() -> Panel:
    return graph(
        "Failures by task",
        "Runs that failed or crashed.",
        [over_time(task_queries.failures(PLACE, STEP), _TASK)],
        bars=True,
        empty="No failed task in this time.",
    )


def _running(overdue: Numbers) -> Panel:
    return rows(
        "Running now",
        f"Runs that began in the last {overdue.window} and have no end yet.",
        [at_once(task_queries.running(PLACE, overdue.window))],
        names=named(LABEL_SERVICE, LABEL_ENV, TASK_NAME, value="Runs"),
        links={LABEL_SERVICE: to_service()},
        empty="Nothing runs now.",
    )


def _overdue(overdue: Numbers) -> Panel:
    return rows(
        "Overdue",
        f"Runs that began more than {overdue.after} ago and have no end yet: they hang, or their "
        "worker died. The rule task-overdue counts the same.",
        [at_once(task_queries.overdue(PLACE, overdue.after, overdue.window, overdue.whole))],
        names=named(LABEL_SERVICE, LABEL_ENV, TASK_NAME, value="Runs"),
        links={LABEL_SERVICE: to_service()},
        empty="Nothing is overdue.",
    )


def _last_failures() -> Panel:
    return lines(
        "Last failures",
        "The newest lines of failed and crashed runs, none when every run ended well. Open one for "
        "its traceback.",
        found(readable(task_queries.failed(CHOSEN)), 50),
    )
