"""A Celery application whose task logs one numbered line.

celery -A tests.programs.jobs worker --pool prefork
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from celery import Celery
from tests.programs.writer import LOGGER, Writing, attach

folder = Path(os.environ["JOBS_FOLDER"])
for name in ("queue", "control"):
    (folder / name).mkdir(exist_ok=True)
app = Celery("jobs", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(folder / "queue"),
        "data_folder_out": str(folder / "queue"),
        "control_folder": str(folder / "control"),
    },
    broker_connection_retry_on_startup=False,
    worker_hijack_root_logger=False,
)
if "WRITING" in os.environ:
    attach(Writing(**json.loads(os.environ["WRITING"])))


@app.task
def log(number: int) -> None:
    """Log one line, and note in a file that the call has returned."""
    logging.getLogger(LOGGER).info("line %d %d", 0, number)
    with (folder / "done").open("a") as done:
        done.write(f"{number} {os.getpid()}\n")
