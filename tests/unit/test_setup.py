import io
import json
import logging
import subprocess
import sys

import pytest

from lokikit import setup_json_logging
from lokikit.errors import SettingsError
from lokikit.output.console_formatter import ConsoleFormatter
from lokikit.output.stdout_handler import StdoutHandler


def _run(source, **environ):
    """The events and the stderr of a program, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=False, env=environ
    )
    return [json.loads(line) for line in done.stdout.split("\n")[:-1]], done.stderr


def test_one_call_is_enough():
    """Every logger's events end as lines on stdout, from INFO on."""
    events, stderr = _run("""
import logging, lokikit
assert lokikit.setup_json_logging("api", env="prod", version="1") is logging.getLogger()
logging.getLogger("a.b").info("hello")
logging.getLogger("a.b").debug("unseen")
""")
    assert [(e["message"], e["service"], e["env"], e["version"]) for e in events] == [
        ("hello", "api", "prod", "1")
    ]
    assert stderr == ""


def test_the_environment_alone_is_enough():
    """No argument is needed."""
    events, _ = _run(
        "import lokikit; lokikit.setup_json_logging().debug('m')",
        OTEL_SERVICE_NAME="api",
        ENV="dev",
        SERVICE_VERSION="2",
    )
    assert [(e["service"], e["env"], e["version"], e["level"]) for e in events] == [
        ("api", "dev", "2", "debug")
    ]


def test_arguments_win_over_the_environment():
    """All but what is not given."""
    events, _ = _run(
        "import lokikit; lokikit.setup_json_logging('b', level='error', log_format='json')"
        ".error('m'); import logging; logging.warning('unseen')",
        SERVICE_NAME="a",
        LOG_LEVEL="debug",
        LOG_FORMAT="console",
    )
    assert [(e["service"], e["level"]) for e in events] == [("b", "error")]


def test_called_twice_each_event_appears_once():
    """Also after basicConfig, and between two calls."""
    events, stderr = _run("""
import logging, lokikit
logging.basicConfig(level=logging.DEBUG)
lokikit.setup_json_logging("a")
lokikit.setup_json_logging("b")
logging.basicConfig(level=logging.DEBUG)
logging.info("m")
""")
    assert [(e["message"], e["service"]) for e in events] == [("m", "b")]
    assert stderr == ""


def test_loggers_that_libraries_set_up_are_taken_in():
    """Their console handlers go, their events reach the root, once; files stay."""
    events, stderr = _run("""
import logging, sys, tempfile, lokikit
own = logging.getLogger("uvicorn")
own.addHandler(logging.StreamHandler(sys.stderr))
own.propagate = False
quiet = logging.getLogger("quiet")
quiet.addHandler(logging.NullHandler())
quiet.propagate = False
path = tempfile.mktemp()
both = logging.getLogger("both")
both.addHandler(logging.FileHandler(path))
both.addHandler(logging.StreamHandler())
lokikit.setup_json_logging()
own.error("from uvicorn")
quiet.error("silenced on purpose")
both.error("to file and stdout")
assert open(path).read() == "to file and stdout\\n"
""")
    assert [e["message"] for e in events] == ["from uvicorn", "to file and stdout"]
    assert stderr == ""


def test_warnings_become_lines():
    """With the place that they speak of as caller."""
    events, stderr = _run("""
import warnings, lokikit
lokikit.setup_json_logging()
warnings.warn("old", UserWarning)
""")
    assert [(e["level"], e["logger"], e["message"]) for e in events] == [
        ("warning", "py.warnings", "UserWarning: old")
    ]
    assert events[0]["caller"] == "<string>:4"
    assert stderr == ""


def test_uncaught_exceptions_become_lines():
    """Of the main thread and of others, with the raising frame as caller; nothing on stderr."""
    events, stderr = _run("""
import threading, lokikit
lokikit.setup_json_logging("api")
def work():
    raise KeyError("in thread")
thread = threading.Thread(target=work, name="worker")
thread.start()
thread.join()
raise ValueError("in main")
""")
    assert [(e["level"], e["exc_type"], e["caller"]) for e in events] == [
        ("critical", "KeyError", "<string>:5 work"),
        ("critical", "ValueError", "<string>:9 <module>"),
    ]
    assert events[0]["message"] == "uncaught exception in thread worker"
    assert "ValueError: in main" in events[1]["stacktrace"]
    assert stderr == ""


def test_an_error_in_an_asyncio_task_becomes_a_line():
    """Through asyncio's own logger."""
    events, stderr = _run("""
import asyncio, gc, lokikit
lokikit.setup_json_logging()
async def fail():
    raise ValueError("in task")
async def main():
    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0)
    del task
    gc.collect()
asyncio.run(main())
""")
    assert [(e["logger"], e["exc_type"]) for e in events] == [("asyncio", "ValueError")]
    assert stderr == ""


def test_keyboard_interrupt_stays_what_it_is():
    """No line, Python's own words on stderr."""
    events, stderr = _run("import lokikit; lokikit.setup_json_logging(); raise KeyboardInterrupt")
    assert events == []
    assert stderr.rstrip().endswith("KeyboardInterrupt")


def test_a_hook_of_an_error_tracker_is_still_called():
    """After the line is written, and once, however often set-up is called."""
    events, stderr = _run("""
import sys, lokikit
sys.excepthook = lambda *args: print("tracked", file=sys.stderr)
lokikit.setup_json_logging()
lokikit.setup_json_logging()
raise ValueError
""")
    assert len(events) == 1
    assert stderr == "tracked\n"


def test_an_exit_code_stays_what_it_is():
    """A service that crashes still exits with 1, `sys.exit` is no crash."""
    source = "import lokikit, sys; lokikit.setup_json_logging(); "
    for end, code in [("raise ValueError", 1), ("sys.exit(3)", 3)]:
        done = subprocess.run(
            [sys.executable, "-c", source + end], capture_output=True, check=False
        )
        assert done.returncode == code


@pytest.mark.parametrize(
    ("arguments", "said"), [({"level": "loud"}, "level='loud'"), ({"log_format": "xml"}, "'xml'")]
)
def test_a_bad_argument_is_refused_before_anything_is_changed(arguments, said):
    """The logging that was there goes on."""
    handlers = list(logging.getLogger().handlers)
    with pytest.raises(SettingsError, match=said):
        setup_json_logging(**arguments)
    assert logging.getLogger().handlers == handlers


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def _restored(monkeypatch):
    root = logging.getLogger()
    monkeypatch.setattr(logging.Logger, "makeRecord", logging.Logger.makeRecord)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr("threading.excepthook", __import__("threading").excepthook)
    monkeypatch.setattr("warnings.showwarning", __import__("warnings").showwarning)
    level = root.level
    yield
    root.setLevel(level)
    for handler in [h for h in root.handlers if isinstance(h, StdoutHandler)]:
        root.removeHandler(handler)


@pytest.mark.usefixtures("_restored")
@pytest.mark.parametrize(
    ("log_format", "stream", "console"),
    [
        ("auto", _Terminal(), True),
        ("auto", io.StringIO(), False),
        ("json", _Terminal(), False),
        ("console", io.StringIO(), True),
    ],
)
def test_auto_is_console_on_a_terminal(log_format, stream, console):
    """And JSON everywhere else; the other two are what they say."""
    root = setup_json_logging(log_format=log_format, stream=stream)
    (handler,) = [h for h in root.handlers if isinstance(h, StdoutHandler)]
    assert isinstance(handler.formatter, ConsoleFormatter) is console


@pytest.mark.usefixtures("_restored")
def test_no_color_is_heeded(monkeypatch):
    """As https://no-color.org says."""
    for no_color, escapes in [("", True), ("1", False)]:
        monkeypatch.setenv("NO_COLOR", no_color)
        stream = _Terminal()
        setup_json_logging(stream=stream).warning("m")
        assert ("\x1b[" in stream.getvalue()) is escapes


def test_a_word_to_redact_is_one_word():
    """Not the list of its letters."""
    events, _ = _run("""
import logging, lokikit
lokikit.setup_json_logging("api", redact="pin")
logging.info("m", extra={"pin": "x", "user_pin": 7, "mapping": 1})
""")
    fields = [(e["pin"], e["user_pin"], e["mapping"]) for e in events]
    assert fields == [("[redacted]", "[redacted]", 1)]
