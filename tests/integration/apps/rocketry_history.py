"""Two tasks a day in the application of the page, looked at in three cycles."""

import json
import logging
import os
import signal
import time

from page import app
from redbird.oper import greater_equal, in_
from rocketry.conditions import SchedulerCycles
from rocketry.conds import daily
from rocketry.log import TaskRunRecord

app.session.config.execution = "main"
app.session.config.shut_cond = SchedulerCycles() >= 3


@app.task(daily)
def report() -> None:
    """Run once a day; the first time, take the scheduler along."""
    if os.environ.get("DIE_IN_TASK"):
        for handler in logging.getLogger().handlers:
            handler.flush()
        os.kill(os.getpid(), signal.SIGKILL)


@app.task(daily)
def fail() -> None:
    """Fail once a day."""
    raise LookupError("no such supplier")


if __name__ == "__main__":
    app.run()
    known = {
        task.name: {
            "status": task.status,
            "runs": len(task.logger.filter_by(action="run").all()),
            "actions": [one["action"] for one in task.logger.get_records()],
            "last_run": task.logger.get_latest(action="run")["created"],
            "exc_text": TaskRunRecord(**task.logger.get_latest()).exc_text,
            "first": task.logger.filter_by().first()["action"],
            "ends": task.logger.filter_by(action=in_(["success", "fail"])).count(),
            "since": len(task.logger.get_records(created=greater_equal(time.time() - 600))),
        }
        for task in app.session.tasks
    }
    print(json.dumps({"event": "history", "known": known}))
