"""Tasks of every ending, in the Celery application of the page."""

import logging
import os
import signal
import sys
import time
from pathlib import Path

from celery.exceptions import Ignore, SoftTimeLimitExceeded
from jobs import app

log = logging.getLogger("jobs.tasks")
folder = Path(os.environ["JOBS_FOLDER"])
for name in ("queue", "control", "results"):
    (folder / name).mkdir(parents=True, exist_ok=True)
app.conf.update(
    broker_url="filesystem://",
    broker_transport_options={
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.05,
    },
    result_backend=f"file://{folder}/results",
    broker_connection_retry_on_startup=False,
    worker_prefetch_multiplier=1,
    beat_schedule={"tick": {"task": "celery_tasks.tick", "schedule": 0.5}},
    beat_schedule_filename=str(folder / "beat"),
    task_routes={
        "celery_tasks.tick": {"queue": "beat"},
        "celery_tasks.succeed": {"queue": "calm"},
    },
)


def is_first(name: str) -> bool:
    """Whether nobody has asked this before."""
    mark = folder / name
    if mark.exists():
        return False
    mark.touch()
    return True


@app.task
def tick() -> None:
    """Sent by beat; nobody takes it."""


@app.task
def succeed(number: int) -> int:
    """Log a line, and succeed."""
    log.info("at %d", number)
    return number


@app.task
def fail() -> None:
    """Raise."""
    raise LookupError("no such supplier")


@app.task(bind=True, max_retries=2, default_retry_delay=0)
def succeed_at_last(self) -> None:
    """Fail twice, then succeed."""
    if self.request.retries < 2:
        raise self.retry(exc=ConnectionError("mail server away"))


@app.task
def have_nothing_to_do() -> None:
    """End as Celery ends what is to have no result."""
    raise Ignore("no invoices")


@app.task(soft_time_limit=2)
def overrun_softly() -> None:
    """Be told to end, and end."""
    try:
        time.sleep(60)
    except SoftTimeLimitExceeded:
        log.warning("out of time")
        raise


@app.task(time_limit=2)
def overrun() -> None:
    """Be ended."""
    time.sleep(60)


@app.task
def die() -> None:
    """Be killed, as the kernel does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(acks_late=True, reject_on_worker_lost=True)
def die_once() -> None:
    """Be killed in a way that has the message sent again."""
    if is_first("die_once"):
        os.kill(os.getpid(), signal.SIGKILL)


@app.task(time_limit=2, acks_late=True, acks_on_failure_or_timeout=False)
def overrun_once() -> None:
    """Overrun a time limit in a way that has the message sent again."""
    if is_first("overrun_once"):
        time.sleep(60)


@app.task
def leave() -> None:
    """End the process that it runs in."""
    sys.exit(1)


@app.task
def be_revoked() -> None:
    """Say that it runs, and wait to be ended."""
    log.info("waiting to be revoked")
    (folder / "waiting").touch()
    time.sleep(60)
