"""Exceptions that nobody catches: each program in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

RAISE = "raise ValueError('nobody catches it')"
IN_THREAD = """
def work():
    raise ValueError('nobody catches it')
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def _run(source: str) -> tuple[list[dict[str, Any]], str]:
    """The lines and the stderr of a program that has set up logging."""
    start = "import logging, sys, threading, warnings, lokikit\nlokikit.setup_json_logging()\n"
    done = subprocess.run(
        [sys.executable, "-c", start + source],
        env={**os.environ, "LOG_FORMAT": "json"},
        capture_output=True,
        check=False,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize("end", [RAISE, IN_THREAD, f"with lokikit.task('t'): {RAISE}"])
@pytest.mark.parametrize(
    "silence",
    [
        "logging.disable(50)",
        "sys.stdout.close()",
        "logging.getLogger().handlers[0].addFilter(lambda record: 1 / 0)",
    ],
)
def test_an_uncaught_exception_without_a_line_is_on_stderr(silence: str, end: str) -> None:
    """As Python prints it, also where the line of a task was to have it."""
    _, stderr = _run(f"{silence}\n{end}")
    assert stderr.count("ValueError: nobody catches it") == 1


@pytest.mark.parametrize("end", [RAISE, IN_THREAD])
def test_an_uncaught_exception_has_a_line_whatever_the_levels(end: str) -> None:
    """And whether or not a configuration has disabled the logger."""
    lines, stderr = _run(f"""
logging.getLogger().setLevel(100)
logging.getLogger("lokikit.output.uncaught").disabled = True
{end}""")
    assert [line["exc_type"] for line in lines] == ["ValueError"]
    assert stderr == ""


WRAP = """
before = {hook}
{hook} = lambda *args: (print("tracked", file=sys.stderr), before(*args))
"""


@pytest.mark.parametrize(
    ("hook", "end"), [("sys.excepthook", RAISE), ("threading.excepthook", IN_THREAD)]
)
def test_a_tracker_that_wraps_our_hook_is_called_once(hook: str, end: str) -> None:
    """Although set-up is called again afterwards, and the hooks hold each other."""
    again = "lokikit.setup_json_logging()\n"
    lines, stderr = _run(f"{WRAP.format(hook=hook)}{again}{again}{end}")
    assert [line["exc_type"] for line in lines] == ["ValueError"]
    assert stderr == "tracked\n"


def test_a_wrapper_of_warnings_gets_what_goes_to_a_file() -> None:
    """Once, although set-up is called again afterwards."""
    lines, stderr = _run("""
before = warnings.showwarning
def wrapper(*args, **kwargs):
    print("wrapped", file=sys.stderr)
    before(*args, **kwargs)
warnings.showwarning = wrapper
lokikit.setup_json_logging()
warnings.showwarning("old", UserWarning, "f.py", 1, sys.stderr)
warnings.warn("new")
""")
    assert stderr.splitlines() == ["wrapped", "f.py:1: UserWarning: old"]
    assert [line["message"] for line in lines] == ["UserWarning: new"]


def test_a_constant_that_threads_raise_has_a_line_each_time() -> None:
    """With its type and traceback, also after a task has told it."""
    lines, stderr = _run("""
CONSTANT = ValueError("constant")
def job():
    with lokikit.task("t"):
        raise CONSTANT
try:
    job()
except ValueError:
    pass
def work():
    raise CONSTANT
for name in "ab":
    thread = threading.Thread(target=work, name=name)
    thread.start()
    thread.join()
""")
    assert [line["exc_type"] for line in lines if "exc_type" in line] == ["ValueError"] * 3
    assert stderr == ""
