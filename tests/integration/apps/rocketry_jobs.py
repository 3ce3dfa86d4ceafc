"""Tasks in the Rocketry application of the page, each run once."""

import time

from jobs import app
from rocketry.conditions import SchedulerCycles
from rocketry.conds import every
from rocketry.exc import TaskInactionException

app.session.config.shut_cond = SchedulerCycles() >= 2


@app.task(every("1 hour"))
def succeed() -> None:
    """End well."""


@app.task(every("1 hour"))
def fail() -> None:
    """Raise."""
    raise LookupError("no such supplier")


@app.task(every("1 hour"))
def have_nothing_to_do() -> None:
    """End as Rocketry ends what finds nothing."""
    raise TaskInactionException


@app.task(every("1 hour"), execution="process", timeout="1 second")
def overrun() -> None:
    """Be ended."""
    time.sleep(60)


if __name__ == "__main__":
    app.run()
