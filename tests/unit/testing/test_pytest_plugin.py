"""The plugin in sessions of its own, as a service's tests would use it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

pytest_plugins = "pytester"

PASSES = """
import logging, re
import lokikit

logger = logging.getLogger("shop")
STEPS = ["run", None, "success"]

def test_levels_fields_and_exceptions(logged):
    logger.debug("looking")
    with lokikit.bound(request_id="r-1"):
        logger.warning("order %s late", 17, extra={"user": 7, "tags": ["a"]})
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("broken")
    assert [line["level"] for line in logged.lines] == ["debug", "warning", "error"]
    line = logged.one(message=re.compile(r"^order \\d+"), user=7)
    assert (line["request_id"], line["tags"], line["logger"]) == ("r-1", ["a"], "shop")
    assert logged.one(exc_type="ZeroDivisionError")["stacktrace"].startswith("Traceback")
    assert logged.find(level="critical") == []
    logged.none(level="critical")
    logged.clear()
    logged.none()

def test_each_test_begins_anew(logged):
    assert logged.lines == []

def test_the_service_sets_up_its_logging(logged):
    lokikit.setup_json_logging("api", env="test", level="info", log_format="json")
    logger.debug("too little")
    logger.info("hello")
    assert logged.one()["service"] == "api"

def test_tasks_are_told(logged):
    with lokikit.task("bill"):
        logger.info("inside")
    assert [line.get("action") for line in logged.find(task_name="bill")] == STEPS
"""
FAILS = """
import logging

def test_none(logged):
    logged.one(level="error")

def test_wrong(logged):
    logging.info("order 17 placed", extra={"user": 7})
    logging.error("order 18 failed")
    logged.one(level="error", message="order 17 failed", user=7)

def test_several(logged):
    logging.info("again")
    logging.info("again")
    logged.one(message="again")

def test_some(logged):
    logging.error("oh")
    logged.none(level="error")
"""


def test_lines_are_asserted_on(pytester: pytest.Pytester) -> None:
    """Fields, levels, exceptions, what is bound and tasks are found as the service writes them."""
    pytester.makepyfile(PASSES)
    done = pytester.runpytest_subprocess()
    done.assert_outcomes(passed=4)


def test_a_failure_shows_the_nearest_lines(pytester: pytest.Pytester) -> None:
    """A failed assertion says what is wrong with the lines that are most alike."""
    pytester.makepyfile(FAILS)
    done = pytester.runpytest_subprocess()
    done.assert_outcomes(failed=4)
    text = done.stdout.str()
    assert "no line with level='error': nothing was logged" in text
    done.stdout.fnmatch_lines(
        [
            "E*no line with level='error' message='order 17 failed' user=7; the nearest of 2:",
            "E*info 'order 17 placed' at test_a_failure*.py:* test_wrong",
            "E*level: 'info', wanted 'error'",
            "E*message: 'order 17 placed', wanted 'order 17 failed'",
            "E*error 'order 18 failed' at *",
            "E*user: absent, wanted 7",
            "E*2 lines with message='again', not one:",
            "E*1 line with level='error', not none:",
        ]
    )
    assert "captured.py" not in text


def test_an_unused_plugin_loads_nothing() -> None:
    """Where no test asks for it, the plugin imports neither logging set-up nor client."""
    code = "import sys, lokikit.testing.pytest_plugin\n"
    code += "print([n for n in sys.modules if 'lokikit.' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['lokikit.testing', 'lokikit.testing.pytest_plugin']"
