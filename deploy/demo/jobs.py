"""The job worker: one child process per task, so that no task can take the worker along."""

from __future__ import annotations

import multiprocessing
import random
import signal
from itertools import count
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from environment import Demo, read_demo, start_logging
from stopping import Stop
from tasks import ROUND

from lokikit.tasks.task import Run, function_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.context import ForkProcess

    from tasks import Task

_fork = multiprocessing.get_context("fork")


def run_task(task: Task, limit_s: float, stop: Stop) -> None:
    """Run the task in a child of its own; returns when that has ended or was ended."""
    run = Run(task.__name__, function_place(task))
    with run.bound():
        run.begin()
        child = _fork.Process(target=_work_in_child, args=(task, run))
        child.start()
        in_time = child.sentinel in wait([child.sentinel, stop.fileno()], limit_s)
        _end(run, child, in_time=in_time)


def _work_in_child(task: Task, run: Run) -> None:
    """Do the task and tell how it ended, unless it never comes back."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        task()
    except Exception as error:  # noqa: BLE001 - a task may raise anything
        run.end_with(error)
    else:
        run.end("success")


def _end(run: Run, child: ForkProcess, *, in_time: bool) -> None:
    if not in_time:
        child.kill()
    child.join()
    if not in_time:
        run.end("terminate", "it took too long, or the worker stops")
    elif child.exitcode:
        run.end("crash", _cause(child.exitcode))
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
