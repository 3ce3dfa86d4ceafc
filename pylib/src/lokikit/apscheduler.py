"""APScheduler 3: `lokikit.apscheduler.log_tasks(scheduler)`."""

from __future__ import annotations

import logging
from typing import Any

from apscheduler.events import EVENT_EXECUTOR_ADDED, EVENT_SCHEDULER_STARTED

from lokikit.output.event_log import drop_duplicate_records, repeats_exception
from lokikit.tasks.task import are_tasks_logged, task

_LOGGER = "apscheduler.executors"
_REPEATED_MESSAGES = ('Running job "%s" (scheduled at %s)', 'Job "%s" executed successfully')


def log_tasks(scheduler: Any) -> None:
    """Log each run of a scheduler's jobs, as a task with the job's name.

    The lines of a job have its name and id. The processes of a process pool must set up logging
    themselves: `ProcessPoolExecutor(pool_kwargs={"initializer": …})`.

    Args:
        scheduler: a scheduler of APScheduler 3, started or not.
    """

    def take_in(_: Any = None) -> None:
        for alias, executor in scheduler._executors.items():  # noqa: SLF001 - it has no public list
            drop_duplicate_records(f"{_LOGGER}.{alias}", _is_duplicate)
            if not isinstance(executor.submit_job, _Submit):
                executor.submit_job = _Submit(executor.submit_job)

    take_in()
    scheduler.add_listener(take_in, EVENT_SCHEDULER_STARTED | EVENT_EXECUTOR_ADDED)


class _Submit:
    """An executor's `submit_job`, with the job's function logged as a task."""

    def __init__(self, submit: Any) -> None:
        self._submit = submit

    def __call__(self, job: Any, run_times: Any) -> None:
        self._submit(_LoggedJob(job), run_times)


class _LoggedJob:
    """A job with its function logged as a task; it can be pickled if the job can."""

    def __init__(self, job: Any) -> None:
        self.job = job

    @property
    def func(self) -> Any:
        """The function, logged as a task."""
        # Here too, because this may be another process.
        drop_duplicate_records(f"{_LOGGER}.{self.job.executor}", _is_duplicate)
        return task(self.job.name)(self.job.func)

    def __getattr__(self, name: str) -> Any:
        if name == "job" or name.startswith("__"):  # while it is unpickled
            raise AttributeError(name)
        return getattr(self.job, name)

    def __str__(self) -> str:
        return str(self.job)


def _is_duplicate(record: logging.LogRecord) -> bool:
    return (record.msg in _REPEATED_MESSAGES and are_tasks_logged()) or repeats_exception(record)
