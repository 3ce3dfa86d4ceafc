"""Levels of libraries: each program in a process of its own."""

from __future__ import annotations

import pytest
from tests.running import messages, run

CHATTER = """
import logging, lokikit
logging.getLogger("kombu").setLevel(logging.INFO)
lokikit.setup_json_logging()
for name in ("httpx", "urllib3.connectionpool", "kombu", "shop"):
    logging.getLogger(name).info(name)
    logging.getLogger(name).warning("! " + name)
"""


@pytest.mark.parametrize(
    ("environ", "heard"),
    [
        ({}, {"kombu", "shop"}),
        ({"ENV": "prod", "LOG_LEVELS": "httpx=info,kombu=error"}, {"httpx", "shop"}),
        ({"ENV": "dev"}, {"httpx", "urllib3.connectionpool", "kombu", "shop"}),
    ],
)
def test_chatty_libraries_are_quiet_outside_dev(environ: dict[str, str], heard: set[str]) -> None:
    """Unless they have a level of their own, or are given one; their warnings stay."""
    told = messages(run(CHATTER, **environ))
    assert {one for one in told if not one.startswith("!")} == heard
    assert "! urllib3.connectionpool" in told
