"""What configures logging after the set-up: each program in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.running import messages, run

from lokikit import fields as f

if TYPE_CHECKING:
    from pathlib import Path

START = """
import logging, logging.config, logging.handlers, sys, lokikit
from logging import basicConfig
from logging.config import dictConfig, fileConfig
shop, views = logging.getLogger("shop"), logging.getLogger("shop.views")
lokikit.setup_json_logging("shop")
"""
ALEMBIC = """
[loggers]
keys = root,sqlalchemy,alembic
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = WARNING
handlers = console
qualname =
[logger_sqlalchemy]
level = WARNING
handlers =
qualname = sqlalchemy.engine
[logger_alembic]
level = INFO
handlers =
qualname = alembic
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic
[formatter_generic]
format = %(levelname)-5.5s [%(name)s] %(message)s
datefmt = %H:%M:%S
"""


def messages_of(source: str, *arguments: str) -> list[str]:
    """The messages of a program behind the set-up, which writes nothing else."""
    return messages(run(START + source, *arguments))


@pytest.mark.parametrize(
    "source",
    [
        "shop.propagate = False",
        "shop.hasHandlers() or shop.addHandler(logging.StreamHandler()); shop.propagate = False",
        "shop.propagate = False; shop = views",
        "shop = logging.Logger('of no hierarchy')",
        "logging.getLogger().handlers = []",
        "logging.getLogger().handlers.clear()",
    ],
)
def test_what_no_handler_would_get_is_in_our_lines(source: str) -> None:
    """From INFO on, as everything else; `logging.lastResort` prints warnings alone, bare."""
    assert messages_of(f"{source}\nshop.info('a'); shop.error('b')") == ["a", "b"]


def test_a_logger_without_handlers_from_before_the_set_up_is_in_our_lines() -> None:
    """Like those that end nowhere afterwards."""
    lines = run("""
import logging, lokikit
logging.getLogger("shop").propagate = False
lokikit.setup_json_logging()
logging.getLogger("shop").info("m")
""")
    assert messages(lines) == ["m"]


def test_a_logger_with_a_null_handler_alone_stays_silent() -> None:
    """That is how a logger is silenced on purpose."""
    source = "shop.addHandler(logging.NullHandler()); shop.propagate = False; shop.error('m')"
    assert messages_of(source) == []


WAYS_TO_ADD = [
    "logger.addHandler(handler)",
    "logger.addHandler(handler); logger.addHandler(logging.StreamHandler(sys.stdout))",
    "logger.handlers.append(handler)",
    "logger.handlers = [handler]",
    "logger.handlers = logging.getLogger().handlers",
    "logger.handlers = list(logging.getLogger().handlers)",
    "shop.addHandler(handler); shop.propagate = False; logger.addHandler(handler)",
]


@pytest.mark.parametrize("logger", ["", "shop", "shop.views"])
@pytest.mark.parametrize("propagate", [True, False])
def test_a_console_handler_that_comes_later_prints_nothing(logger: str, *, propagate: bool) -> None:
    """Each event is one line of ours, whether its logger propagates or not.

    Each way to add a handler is tried in a fork of a process behind the set-up.
    """
    source = f"""
import os
for way in {WAYS_TO_ADD!r}:
    if pid := os.fork():
        assert os.waitpid(pid, 0)[1] == 0
        continue
    handler, logger = logging.StreamHandler(), logging.getLogger({logger!r})
    exec(way)
    logger.propagate = {propagate}
    (views if {logger!r} == "" else logger).info("a: " + way)
    logging.info("b: " + way)
    sys.stdout.flush()
    os._exit(0)
"""
    assert messages_of(source) == [f"{event}: {way}" for way in WAYS_TO_ADD for event in "ab"]


def test_handlers_that_write_elsewhere_are_fed_as_before(tmp_path: Path) -> None:
    """Beside our lines, or in their place where a logger has nothing else and propagates not."""
    paths = [tmp_path / name for name in ("root", "beside", "alone")]
    source = """
for logger, path in zip(["", "beside", "alone"], {paths}):
    logging.getLogger(logger).addHandler(logging.FileHandler(path))
    if logger == "beside":
        logging.getLogger(logger).addHandler(logging.StreamHandler())
    logging.getLogger(logger).propagate = not logger
for logger in ["shop", "beside", "alone"]:
    logging.getLogger(logger).info(logger)
"""
    assert messages_of(source.format(paths=[str(one) for one in paths])) == ["shop", "beside"]
    assert [one.read_text() for one in paths] == ["shop\n", "beside\n", "alone\n"]


CONFIGURATIONS = {
    "file": "fileConfig({ini!r})",
    "file-that-keeps-loggers": "fileConfig({ini!r}, disable_existing_loggers=False)",
    "empty": "dictConfig({{'version': 1}})",
    "root-without-handlers": "dictConfig({{'version': 1, 'root': {{'level': 'ERROR'}}}})",
    "root-with-console": """
console = {{"class": "logging.StreamHandler"}}
root = {{"level": "WARNING", "handlers": ["console"]}}
dictConfig({{"version": 1, "handlers": {{"console": console}}, "root": root}})""",
    "logger-with-console": """
console = {{"class": "logging.StreamHandler"}}
own = {{"shop": {{"level": "INFO", "handlers": ["console"], "propagate": False}}}}
dictConfig({{"version": 1, "handlers": {{"console": console}}, "loggers": own}})""",
    "disabled-by-name": "dictConfig({{'version': 1, 'disable_existing_loggers': True}})",
    "forced": "basicConfig(force=True)",
    "twice": "fileConfig({ini!r}); dictConfig({{'version': 1}}); fileConfig({ini!r})",
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_later_configuration_takes_no_line_away(tmp_path: Path, name: str) -> None:
    """Neither ours nor those of loggers that it disables; also by a function imported before."""
    ini = tmp_path / "alembic.ini"
    ini.write_text(ALEMBIC)
    source = f"""
{CONFIGURATIONS[name].format(ini=str(ini))}
shop.info("a"); views.info("b"); logging.getLogger("alembic.runtime").info("c"); logging.info("d")
"""
    assert messages_of(source) == ["a", "b", "c", "d"]


def test_a_logger_that_was_switched_off_by_hand_stays_off() -> None:
    """A configuration enables none that it has not disabled."""
    assert messages_of("shop.disabled = True; dictConfig({'version': 1}); shop.info('m')") == []


def test_a_later_configuration_may_let_more_through() -> None:
    """Of two levels for the root logger the lower one counts."""
    source = "dictConfig({'version': 1, 'root': {'level': 'DEBUG'}}); shop.debug('m')"
    assert messages_of(source) == ["m"]


def test_a_configuration_with_our_handler_says_the_level() -> None:
    """It is the set-up itself, also after another one."""
    source = """
config = lokikit.logging_config("shop")
config["root"]["level"] = "WARNING"
dictConfig(config)
shop.info("a"); shop.warning("b")
"""
    assert messages_of(source) == ["b"]


def test_whoever_takes_our_handler_off_by_name_gets_rid_of_it() -> None:
    """Tests clean up like this; `logging.lastResort` is Python's own then."""
    source = """
import io
root = logging.getLogger()
root.removeHandler(root.handlers[0])
sys.stderr = io.StringIO()
logging.warning("m")
shop.addHandler(logging.StreamHandler(sys.__stdout__))
shop.warning('{"message": "bare"}')
assert sys.stderr.getvalue() == "m\\n", sys.stderr.getvalue()
"""
    assert messages_of(source) == ["bare"]


def test_a_second_set_up_takes_over() -> None:
    """The relays of the first lead to the second, and each event appears once."""
    source = """
shop.addHandler(logging.StreamHandler())
shop.propagate = False
lokikit.setup_json_logging("second")
fileConfig
shop.addHandler(logging.StreamHandler())
shop.propagate = False
shop.info("m")
"""
    lines = run(START + source)
    assert [(one[f.MESSAGE], one[f.SERVICE]) for one in lines] == [("m", "second")]


def test_keeping_looks_at_loggers_that_log_nothing_themselves() -> None:
    """A console handler that was put into the list of a parent."""
    source = """
shop.handlers = [logging.StreamHandler(sys.stderr)]
lokikit.keep_json_logging()
views.info("m")
"""
    assert messages_of(source) == ["m"]


def test_a_handler_that_raises_when_it_is_looked_at_raises_nothing_into_the_application() -> None:
    """Its place is its own."""
    source = """
class Strange(logging.Handler):
    @property
    def stream(self): raise RuntimeError
    def emit(self, record): pass
logging.getLogger().addHandler(Strange())
logging.getLogger().handlers.append(Strange())
shop.handlers.append(Strange())
shop.info("m")
"""
    assert messages_of(source) == ["m"]


def test_what_a_test_captures_is_what_our_handlers_write() -> None:
    """Also of a logger that ends nowhere."""
    source = """
from lokikit.testing.captured_logs import CapturingHandler
captured = CapturingHandler()
logging.getLogger().addHandler(captured)
shop.propagate = False
shop.info("m")
assert [line["message"] for line in captured.lines] == ["m"]
"""
    assert messages_of(source) == ["m"]


QUEUE = """
import queue
waiting = queue.SimpleQueue()
logger = logging.getLogger({logger!r})
logger.addHandler(logging.handlers.QueueHandler(waiting))
logger.propagate = {propagate}
handlers = [logging.StreamHandler(), logging.FileHandler({path!r})]
listener = logging.handlers.QueueListener(waiting, *handlers)
listener.start()
views.info("a"); logging.info("b")
waiting.put(logging.makeLogRecord({{"name": "shop", "msg": "c", "levelno": 20, "process": -1}}))
listener.stop()
"""


@pytest.mark.parametrize(
    ("logger", "propagate", "queued"),
    [("", True, "a\nb\nc\n"), ("shop", True, "a\nc\n"), ("shop", False, "a\nc\n")],
)
def test_a_console_handler_behind_a_queue_prints_nothing(
    tmp_path: Path, logger: str, *, propagate: bool, queued: str
) -> None:
    """What has missed our handlers they get, also from another process; the file gets all."""
    path = str(tmp_path / "f")
    source = QUEUE.format(logger=logger, propagate=propagate, path=path)
    assert sorted(messages_of(source)) == ["a", "b", "c"]
    assert (tmp_path / "f").read_text() == queued


def test_our_handler_behind_a_queue_prints_nothing_twice() -> None:
    """Where somebody has put it there, and a queue in its place."""
    source = """
import queue
waiting = queue.SimpleQueue()
root = logging.getLogger()
listener = logging.handlers.QueueListener(waiting, *root.handlers)
root.handlers = [logging.handlers.QueueHandler(waiting)]
listener.start()
shop.info("m")
listener.stop()
"""
    assert messages_of(source) == ["m"]


def test_the_root_may_be_given_the_handlers_of_another_logger() -> None:
    """As "Flask under Gunicorn" is answered; a relay has nothing to do there."""
    source = """
shop.addHandler(logging.StreamHandler())
logging.getLogger().handlers = shop.handlers
silent = logging.getLogger("silent")
silent.propagate = False
silent.info("a"); shop.info("b"); logging.info("c")
shop.propagate = False
shop.info("d")
"""
    assert messages_of(source) == ["a", "b", "c", "d"]


def test_records_do_not_wait_for_a_configuration() -> None:
    """It may take long in another thread, and wait for what logs."""
    source = """
import threading
class Slow(logging.NullHandler):
    def __init__(self):
        super().__init__()
        thread = threading.Thread(target=lambda: shop.info("m"), daemon=True)
        logging.getLogger().handlers.append(logging.NullHandler())
        thread.start()
        thread.join(60)
        assert not thread.is_alive()
shop.isEnabledFor(20)  # which `logging` itself asks under its lock, once
slow = {"()": Slow}
dictConfig({"version": 1, "handlers": {"slow": slow}})
"""
    assert messages_of(source) == ["m"]
