"""What Celery's worker and beat say of a task: each program in a process of its own."""

from __future__ import annotations

from tests.running import messages, run

from lokikit import fields as f

APP = """
import logging
from types import SimpleNamespace
import lokikit, lokikit.celery
from billiard.einfo import ExceptionInfo
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery, signals
from celery.app.trace import build_tracer
from celery.contrib.testing.mocks import TaskMessage
from celery.worker.request import Request, create_request_cls
lokikit.setup_json_logging()
lokikit.celery.log_tasks()
app = Celery("jobs", set_as_current=True, broker="memory://localhost/", backend="cache+memory://")
@app.task(name="jobs.fail")
def fail():
    raise LookupError("no such supplier")
app.finalize()
task = app.tasks["jobs.fail"]
def run():
    request = {"id": "t-1", "args": (), "kwargs": {}, "is_eager": False, "hostname": "here"}
    build_tracer(task.name, task, app=app)("t-1", (), {}, request)
def received():
    kind = create_request_cls(Request, task, SimpleNamespace(apply_async=None), "here", None)
    request = kind(TaskMessage(task.name, id="t-1", args=(), kwargs={}), app=app, task=task)
    signals.task_received.send(sender=None, request=request)
    return request
def raised(error):
    try:
        raise error
    except Exception:
        return ExceptionInfo()
LOST = WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL)")
"""
LIMIT = """
request = received()
request.on_timeout(False, 2)
request.on_failure(raised(TimeLimitExceeded(2)))
"""


def test_a_lost_process_is_one_crash() -> None:
    """Celery's own line of it is left out."""
    (line,) = run(f"{APP}received().on_failure(raised(LOST))")
    assert (line[f.ACTION], line[f.TASK_ID], line[f.LEVEL]) == ("crash", "t-1", "critical")


def test_a_hard_time_limit_is_told_once() -> None:
    """The worker hears of it twice: when it is over, and when the process is gone."""
    (line,) = run(f"{APP}{LIMIT}")
    assert (line[f.ACTION], line[f.MESSAGE]) == (
        "terminate",
        "jobs.fail was terminated: TimeLimitExceeded(2)",
    )


def test_a_task_that_is_revoked_twice_ends_once() -> None:
    """Celery also reports one revocation from two threads, before either knows of the other."""
    (line,) = run(
        f"{APP}request = received()\n"
        "request.time_start, pool = 1.0, SimpleNamespace(terminate_job=lambda *_: None)\n"
        "request.terminate(pool, 'TERM')\n"
        "request.terminate(pool, 'TERM')\n"
    )
    assert (line[f.ACTION], line[f.MESSAGE]) == ("terminate", "jobs.fail was terminated: revoked")


def test_a_lost_process_of_a_message_that_is_sent_again_is_a_crash() -> None:
    """Celery has no signal of it."""
    again = "task.acks_late = task.reject_on_worker_lost = True\n"
    reject = "request = received()\nrequest.reject = lambda requeue: None\n"
    (line,) = run(f"{APP}{again}{reject}request.on_failure(raised(LOST))")
    assert line[f.ACTION] == "crash"


def test_a_request_of_an_own_class_is_watched_too() -> None:
    """Celery lets a task name one, whose methods may do without those of Celery."""
    (line,) = run(f"""{APP}
class Own(Request):
    def on_failure(self, exc_info, send_failed_event=True, return_ok=False):
        pass
Request = Own
received().on_failure(raised(LOST))
""")
    assert line[f.ACTION] == "crash"


def test_without_lines_of_tasks_those_of_celery_stay() -> None:
    """A library's line is dropped only where ours was written."""
    off = {"LOG_TASKS": "off"}
    (failed,) = run(f"{APP}run()", **off)
    assert (failed[f.LOGGER], failed[f.EXC_TYPE]) == ("celery.app.trace", "LookupError")
    assert failed[f.LEVEL] == "error"
    (lost,) = run(f"{APP}received().on_failure(raised(LOST))", **off)
    assert "Worker exited prematurely" in lost[f.MESSAGE]
    first, *_ = run(f"{APP}{LIMIT}", **off)
    assert "Hard time limit (2s) exceeded" in first[f.MESSAGE]


def test_a_line_of_a_task_that_was_lost_on_its_way_leaves_celerys_own() -> None:
    """Here a filter raises at ours alone."""
    lines = run(f"""{APP}
def refuse(record):
    if record.name == "lokikit.tasks.task":
        raise ValueError("no tasks")
    return True
logging.getLogger().handlers[0].addFilter(refuse)
run()
received().on_failure(raised(LOST))
""")
    assert [line[f.LOGGER] for line in lines] == ["celery.app.trace", "celery.worker.request"]


def test_a_soft_time_limit_that_the_task_survives_stays_a_warning() -> None:
    """Its success does not say it."""
    (line,) = run(f"{APP}received().on_timeout(True, 2)")
    assert line[f.LEVEL] == "warning"
    assert "Soft time limit (2s) exceeded for jobs.fail" in line[f.MESSAGE]


BEAT = """
from celery.beat import Service
app.conf.beat_schedule = {"daily": {"task": "jobs.fail", "schedule": 0.0}}
app.conf.beat_schedule_filename = "/nonexistent/never-written"
from celery.beat import Scheduler
service = Service(app, scheduler_cls=Scheduler)
# As of `worker --beat`, where it is embedded.
signals.beat_init.send(sender=service)
signals.beat_embedded_init.send(sender=service)
service.scheduler.setup_schedule()
logging.getLogger("celery.beat").setLevel(logging.INFO)
entry = service.scheduler.schedule["daily"]
service.scheduler.apply_entry(entry)
"""


def test_beat_tells_what_it_sends() -> None:
    """In place of Celery's line of what is due, which has no id."""
    (line,) = run(f"{APP}{BEAT}")
    assert (line[f.MESSAGE], line[f.TASK_NAME]) == ("jobs.fail sent", "jobs.fail")
    assert line["schedule_entry"] == "daily"
    assert len(line[f.TASK_ID]) == 36
    assert f.ACTION not in line


def test_what_beat_cannot_send_has_celerys_error() -> None:
    """And no line that says that it was sent."""
    broken = "from unittest.mock import patch\n"
    lines = run(f"""{APP}{broken}
with patch.object(type(task), "apply_async", side_effect=OSError("broker away")):
    {BEAT.strip().replace(chr(10), chr(10) + "    ")}
""")
    assert [line[f.LEVEL] for line in lines] == ["error"]
    assert "broker away" in messages(lines)[0]
