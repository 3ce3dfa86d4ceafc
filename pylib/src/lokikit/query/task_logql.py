"""The LogQL about tasks, whose lines report one step of a run each."""

from __future__ import annotations

from lokikit import fields as f
from lokikit.query.logql import TASK, Selection, count, parsed, total, with_field


def _tasks(selected: Selection, actions: str, *fields: str) -> str:
    chosen = f' | {f.ACTION}=~"{actions}"' if actions else f' | {f.ACTION}!=""'
    return selected.lines(with_field(f.TASK_NAME), parsed(f.TASK_NAME, f.ACTION, *fields) + chosen)


def steps(selected: Selection, span: str, by: tuple[str, ...] = (f.TASK_NAME, f.ACTION)) -> str:
    """Return the number of steps of each task, by kind."""
    return count(_tasks(selected, ""), span, by)


def failures(selected: Selection, span: str) -> str:
    """Return the number of failures and crashes of each task.

    An attempt that is to be tried again is none: its line is a warning.
    """
    return count(f'{failed(selected)} | {f.DETECTED_LEVEL}!="warn"', span, TASK)


def failed(selected: Selection) -> str:
    """Return the lines of failures and crashes."""
    return _tasks(selected, "|".join(f.TASK_FAILURES))


def seconds(quantile: float, selected: Selection, span: str) -> str:
    """Return a quantile of the duration of the runs of each task, in seconds."""
    ended = _tasks(selected, "", f.RUNTIME_S)
    value = f'{ended} | unwrap {f.RUNTIME_S} | __error__=""'
    return f"quantile_over_time({quantile}, {value} [{span}]) by ({f.TASK_NAME})"


def running(selected: Selection, span: str) -> str:
    """Return the number of runs of each task that began in the span and have no end."""
    return _unended(_runs(selected, span), _ends(selected, span))


def overdue(selected: Selection, after: str, span: str, whole: str) -> str:
    """Return the number of runs of each task that have no end long after they began.

    Args:
        selected: lines of the services.
        after: duration that a run may have.
        span: span before that in which the runs began.
        whole: `after` and `span` together.
    """
    return _unended(f"{_runs(selected, span)} offset {after}", _ends(selected, whole))


def _runs(selected: Selection, span: str) -> str:
    return f"{_tasks(selected, 'run', f.TASK_ID)} [{span}]"


def _ends(selected: Selection, span: str) -> str:
    ends = "|".join(action for action in f.TASK_ACTIONS if action != "run")
    return f"{_tasks(selected, ends, f.TASK_ID)} [{span}]"


def _unended(runs: str, ends: str) -> str:
    """Return runs without an end; each run is a series, so `max_query_series` limits them."""
    begun, ended = (
        total((*TASK, f.TASK_ID), f"count_over_time({lines})") for lines in (runs, ends)
    )
    return f"count by ({', '.join(TASK)}) ({begun} unless {ended})"


def missed(selected: Selection, span: str, history: str, parts: int) -> str:
    """Return how many runs a task should have had in the span, for tasks without a run in it.

    Args:
        selected: lines of the services.
        span: last part of the history.
        history: time from which the frequency of a task is taken.
        parts: number of spans in the history.
    """
    began = _tasks(selected, "run")
    return f"({count(began, history, TASK)} / {parts}) unless {count(began, span, TASK)}"
