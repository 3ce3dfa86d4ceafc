"""Jobs in the scheduler of the page: ending well, failing, and in a process of their own."""

import logging
import threading

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ProcessPoolExecutor
from jobs import scheduler

import lokikit

log = logging.getLogger("jobs.tasks")
RUNS = 4
_done = threading.Semaphore(0)


def succeed() -> None:
    """Log a line, and end."""
    log.info("inside")


def fail() -> None:
    """Raise."""
    raise LookupError("no such supplier")


if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, {"initializer": lokikit.setup_json_logging})
    scheduler.add_executor(pool, "processes")
    scheduler.add_listener(lambda _: _done.release(), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.start()
    for executor in ("default", "processes"):
        for job in (succeed, fail):
            name = f"{job.__name__}-{executor}"
            scheduler.add_job(job, executor=executor, name=name, misfire_grace_time=None)
    for _ in range(RUNS):
        _done.acquire()
    scheduler.shutdown()
