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


UNRAISABLE = {
    "finalizer": "class A:\n    def __del__(self): raise ValueError('lost')\na = A()\ndel a",
    "repr-that-raises": (
        "class A:\n    def __del__(self): raise ValueError('lost')\n"
        "    def __repr__(self): raise KeyError\na = A()\ndel a"
    ),
    "weak-reference": (
        "import weakref\nclass A: pass\ndef gone(_): raise ValueError('lost')\n"
        "a = A()\nref = weakref.ref(a, gone)\ndel a"
    ),
    "generator": (
        "def g():\n    try: yield\n    finally: raise ValueError('lost')\na = g()\nnext(a)\ndel a"
    ),
    "inside-a-log-call": (
        "class A:\n    def __del__(self): raise ValueError('lost')\n"
        "    def __str__(self): return 'outer'\n"
        "class B:\n    def __str__(self):\n        A()\n        return 'outer'\n"
        "logging.info('%s', B())"
    ),
    "at-the-exit": "class A:\n    def __del__(self): raise ValueError('lost')\na = A()\na.me = a",
}


@pytest.mark.parametrize("source", UNRAISABLE.values(), ids=UNRAISABLE)
def test_exception_that_has_no_caller_is_one_line(source: str) -> None:
    lines, stderr = _run(source)
    found = [line for line in lines if line.get("exc_type") == "ValueError"]
    assert [(one["level"], one["exc_message"]) for one in found] == [("error", "lost")]
    assert found[0]["message"].startswith("Exception ignored")
    assert stderr == ""


def test_exception_that_has_no_caller_is_on_stderr_when_nothing_writes_it() -> None:
    lines, stderr = _run(f"logging.disable(50)\n{UNRAISABLE['finalizer']}")
    assert lines == []
    assert stderr.count("ValueError: lost") == 1


def test_former_hook_of_exceptions_without_a_caller_is_still_called() -> None:
    """An error tracker's, say."""
    lines, stderr = _run(f"""
sys.unraisablehook = lambda args: print("tracked", args.exc_value, file=sys.stderr)
lokikit.setup_json_logging()
lokikit.setup_json_logging()
{UNRAISABLE["finalizer"]}""")
    assert [line["exc_type"] for line in lines] == ["ValueError"]
    assert stderr == "tracked lost\n"


@pytest.mark.parametrize(
    "source",
    [
        "logging.captureWarnings(True)",
        "logging.captureWarnings(True)\nlogging.captureWarnings(True)",
        "logging.captureWarnings(True)\nlogging.captureWarnings(False)",
        "logging.captureWarnings(True)\nlokikit.setup_json_logging()",
    ],
)
def test_warnings_captured_once_more_are_one_line_each_of_where_they_arose(source: str) -> None:
    lines, stderr = _run(f"""{source}
def warn():
    warnings.warn("old\\nand slow", stacklevel=2)
warn()
import io
file = io.StringIO()
warnings.showwarning("into a file", UserWarning, "a.py", 3, file)
assert "a.py:3" in file.getvalue()
""")
    assert [(line["message"], line["caller"]) for line in lines] == [
        ("UserWarning: old\nand slow", f"<string>:{6 + source.count(chr(10))}")
    ]
    assert (lines[0]["logger"], stderr) == ("py.warnings", "")
