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


FLOOD = """
import logging, logging.config, lokikit
lokikit.setup_json_logging()
%s
for name in ("django.utils.autoreload", "httpcore2.http11", "shop"):
    logging.getLogger(name).debug(name)
    logging.getLogger(name).info("i " + name)
"""
DJANGO = "logging.config.dictConfig({'version': 1, 'loggers': {'django': {'level': 'INFO'}}})"


@pytest.mark.parametrize("configuration", ["", DJANGO])
@pytest.mark.parametrize("levels", ["", "django.utils.autoreload=debug"])
def test_what_floods_at_debug_is_at_info_in_dev(levels: str, configuration: str) -> None:
    """Django's reloader tells of each file; also where a configuration names its parent later."""
    lines = messages(run(FLOOD % configuration, ENV="dev", LOG_LEVELS=levels))
    names = ["django.utils.autoreload", "httpcore2.http11", "shop"]
    assert [one for one in lines if one.startswith("i ")] == [f"i {name}" for name in names]
    heard = [one for one in lines if not one.startswith("i ")]
    assert heard == (["django.utils.autoreload"] if levels else []) + ["shop"]
