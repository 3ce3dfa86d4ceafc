"""The LogQL about tasks: what their lines, one for each step, tell of their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.fields import (
    ACTION,
    RUNTIME_S,
    TASK_ACTIONS,
    TASK_FAILURES,
    TASK_ID,
    TASK_NAME,
)
from lokikit.query.logql import TASK, count, parsed, total, with_field

if TYPE_CHECKING:
    from lokikit.query.logql import Selection


def _tasks(selected: Selection, actions: str, *fields: str) -> str:
    chosen = f' | {ACTION}=~"{actions}"' if actions else f' | {ACTION}!=""'
    return selected.lines(with_field(TASK_NAME), parsed(TASK_NAME, ACTION, *fields) + chosen)


def steps(selected: Selection, span: str, by: tuple[str, ...] = (TASK_NAME, ACTION)) -> str:
    """How often the tasks took which step."""
    return count(_tasks(selected, ""), span, by)


def failures(selected: Selection, span: str) -> str:
    """How often each task failed or crashed."""
    return count(failed(selected), span, TASK)


def failed(selected: Selection) -> str:
    """The lines of the tasks that failed or crashed."""
    return _tasks(selected, "|".join(TASK_FAILURES))


def seconds(quantile: float, selected: Selection, span: str) -> str:
    """The time in which that part of the runs of each task ended, in seconds."""
    ended = _tasks(selected, "", RUNTIME_S)
    value = f'{ended} | unwrap {RUNTIME_S} | __error__=""'
    return f"quantile_over_time({quantile}, {value} [{span}]) by ({TASK_NAME})"


def running(selected: Selection, span: str) -> str:
    """How many runs of each task began in the span and have no end yet."""
    return _unended(_runs(selected, span), _ends(selected, span))


def overdue(selected: Selection, after: str, span: str, whole: str) -> str:
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
    begun, ended = (total((*TASK, TASK_ID), f"count_over_time({one})") for one in (runs, ends))
    return f"count by ({', '.join(TASK)}) ({begun} unless {ended})"


def missed(selected: Selection, span: str, history: str, parts: int) -> str:
    """How many runs a task should have had in the span, of those that had none at all.

    Args:
        selected: which services.
        span: the last part of the history.
        history: the time that tells how often the task runs.
        parts: how many spans the history has.
    """
    began = _tasks(selected, "run")
    return f"({count(began, history, TASK)} / {parts}) unless {count(began, span, TASK)}"
