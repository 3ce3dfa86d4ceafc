"""The job worker: one child process per task, so that no task can take the worker along."""

from __future__ import annotations

import logging
import multiprocessing
import random
import signal
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import count
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from environment import Demo, read_demo, start_logging
from stopping import Stop
from tasks import ROUND

import lokikit
from lokikit import fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkProcess

    from tasks import Task

_log = logging.getLogger("jobs")
_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Run:
    """One run of one task."""

    task: Task
    start: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    started_s: float = field(default_factory=time.monotonic)

    def log(self, level: int, text: str, action: str, error: Exception | None = None) -> None:
        """Write the line of one step; all but the first also say when it ended."""
        step: dict[str, Any] = {fields.ACTION: action, fields.START: self.start}
        if action != "run":
            runtime_s = round(time.monotonic() - self.started_s, 6)
            step |= {fields.END: datetime.now(timezone.utc), fields.RUNTIME_S: runtime_s}
        _log.log(level, "%s %s", self.task.__name__, text, extra=step, exc_info=error)

    def in_child(self) -> None:
        """Do the task and log how it ended, unless it never comes back."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            worked = self.task()
        except Exception as error:  # noqa: BLE001 - a task may raise anything
            self.log(logging.ERROR, f"failed: {error}", "fail", error)
        else:
            text, action = ("succeeded", "success") if worked else ("had no work", "inaction")
            self.log(logging.INFO, text, action)


def run_task(task: Task, limit_s: float, stop: Stop) -> None:
    """Run the task in a child of its own; returns when that has ended or was ended."""
    with lokikit.bound(**{fields.TASK_NAME: task.__name__, fields.TASK_ID: uuid4().hex}):
        run = Run(task)
        run.log(logging.INFO, "started", "run")
        child = _fork.Process(target=run.in_child)
        child.start()
        in_time = child.sentinel in wait([child.sentinel, stop.fileno()], limit_s)
        _end(run, child, in_time=in_time)


def _end(run: Run, child: ForkProcess, *, in_time: bool) -> None:
    if not in_time:
        child.kill()
    child.join()
    if not in_time:
        run.log(logging.WARNING, "terminated: it took too long, or the worker stops", "terminate")
    elif child.exitcode:
        run.log(logging.CRITICAL, f"crashed: {_cause(child.exitcode)}", "crash")
    child.close()


def _cause(exitcode: int) -> str:
    if exitcode < 0:
        return f"killed by {signal.Signals(-exitcode).name}"
    return f"its process ended with code {exitcode}"


def shuffled() -> Iterator[Task]:
    """Tasks without end: round after round, each in an order of its own."""
    while True:
        yield from random.sample(ROUND, len(ROUND))


def work(demo: Demo, stop: Stop) -> None:
    """Run tasks until `demo.tasks` are done or `stop` is set."""
    for number, task in zip(count(1), shuffled(), strict=False):
        run_task(task, demo.task_limit_s, stop)
        if number == demo.tasks or stop.wait(1 / demo.tasks_per_s):
            return


if __name__ == "__main__":
    start_logging("jobs")
    work(read_demo(), Stop().on_signals())
