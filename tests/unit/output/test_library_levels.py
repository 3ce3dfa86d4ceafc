"""Levels of libraries: each program in a process of its own."""

from __future__ import annotations

import pytest
from tests.running import messages, run

CHATTER = """
import logging, lokikit
logging.getLogger("kombu").setLevel(logging.INFO)
lokikit.setup_json_logging()
for name in ("httpx", "httpx2", "urllib3.connectionpool", "kombu", "shop"):
    logging.getLogger(name).info(name)
    logging.getLogger(name).warning("! " + name)
"""


@pytest.mark.parametrize(
    ("environ", "heard"),
    [
        ({}, {"kombu", "shop"}),
        ({"ENV": "prod", "LOG_LEVELS": "httpx=info,kombu=error"}, {"httpx", "shop"}),
        ({"ENV": "dev"}, {"httpx", "httpx2", "urllib3.connectionpool", "kombu", "shop"}),
    ],
)
def test_chatty_libraries_are_quiet_outside_dev(environ: dict[str, str], heard: set[str]) -> None:
    """Unless they have a level of their own, or are given one; their warnings stay."""
    lines = messages(run(CHATTER, **environ))
    assert {one for one in lines if not one.startswith("!")} == heard
    assert "! urllib3.connectionpool" in lines


LEVELLED = """
import logging, lokikit
%s
for name in ("botocore", "urllib3", "shop"):
    for level in (logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger(name).log(level, "%%s %%d", name, level)
"""


@pytest.mark.parametrize(
    ("level", "heard"), [("warning", ["30", "40"]), ("error", ["40"])], ids=["warning", "error"]
)
@pytest.mark.parametrize("env", ["dev", "prod"])
def test_no_library_is_louder_than_the_level_of_the_service(
    env: str, level: str, heard: list[str]
) -> None:
    """Their INFO in `dev`, and their warnings elsewhere, passed a higher `LOG_LEVEL`."""
    lines = messages(run(LEVELLED % "lokikit.setup_json_logging()", ENV=env, LOG_LEVEL=level))
    names = ("botocore", "urllib3", "shop")
    assert lines == [f"{name} {number}" for name in names for number in heard]


def test_the_last_set_up_decides_on_the_levels_of_libraries() -> None:
    calls = "for level in ('error', 'info'): lokikit.setup_json_logging(level=level)"
    assert messages(run(LEVELLED % calls))[:2] == ["botocore 30", "botocore 40"]


FLOOD = """
import logging, logging.config, lokikit
lokikit.setup_json_logging()
%s
for name in ("django.utils.autoreload", "httpcore2.http11", "celery.worker", "shop"):
    logging.getLogger(name).debug(name)
    logging.getLogger(name).info("i " + name)
"""
DJANGO = "logging.config.dictConfig({'version': 1, 'loggers': {'django': {'level': 'INFO'}}})"


@pytest.mark.parametrize("configuration", ["", DJANGO])
@pytest.mark.parametrize("levels", ["", "django.utils.autoreload=debug"])
def test_what_floods_at_debug_is_at_info_in_dev(levels: str, configuration: str) -> None:
    """Django's reloader tells of each file; also where a configuration names its parent later."""
    lines = messages(run(FLOOD % configuration, ENV="dev", LOG_LEVELS=levels))
    names = ["django.utils.autoreload", "httpcore2.http11", "celery.worker", "shop"]
    assert [one for one in lines if one.startswith("i ")] == [f"i {name}" for name in names]
    heard = [one for one in lines if not one.startswith("i ")]
    assert heard == (["django.utils.autoreload"] if levels else []) + ["shop"]


CELERY = """
import logging, lokikit
lokikit.setup_json_logging()
for name in ("celery.worker", "celery.worker.consumer.connection", "celery.task"):
    logging.getLogger(name).debug("d " + name)
    logging.getLogger(name).info("i " + name)
"""


@pytest.mark.parametrize(("env", "debugged"), [("dev", ["d celery.task"]), ("prod", [])])
def test_a_worker_of_celery_logs_its_connection_everywhere_and_its_ticks_nowhere(
    env: str, debugged: list[str]
) -> None:
    """Tasks log below `celery.task`, whose DEBUG is the service's own."""
    lines = messages(run(CELERY, ENV=env))
    assert [one for one in lines if one.startswith("d ")] == debugged
    assert "i celery.worker.consumer.connection" in lines
