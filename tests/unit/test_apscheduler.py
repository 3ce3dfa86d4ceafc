"""What APScheduler says of a job: each program in a process of its own."""

from __future__ import annotations

import pytest
from tests.running import run

from lokikit import fields as f

RUN = """
import logging, threading
import lokikit, lokikit.apscheduler
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.schedulers.background import BackgroundScheduler
lokikit.setup_json_logging()
logging.getLogger("apscheduler.executors").setLevel(logging.INFO)
scheduler = BackgroundScheduler()
lokikit.apscheduler.log_tasks(scheduler)
done = threading.Event()
scheduler.add_listener(lambda _: done.set(), EVENT_JOB_ERROR | EVENT_JOB_EXECUTED)
scheduler.start()
"""
END = "done.wait()\nscheduler.shutdown()\n"


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [("on", ["lokikit.tasks.task"] * 2), ("off", ["apscheduler.executors.default"] * 2)],
    ids=["on", "off"],
)
@pytest.mark.parametrize(("job", "level"), [("len", "info"), ("int", "error")])
def test_a_run_is_told_by_one_of_both(
    tasks: str, expected: list[str], job: str, level: str
) -> None:
    """Where ours are off, APScheduler's stay, also of a failure."""
    lines = run(
        f"{RUN}scheduler.add_job({job}, args=['x'], name='job', misfire_grace_time=None)\n{END}",
        LOG_TASKS=tasks,
    )
    assert [line[f.LOGGER] for line in lines] == expected
    assert lines[-1][f.LEVEL] == level
