"""structlog and loguru: each program in a process of its own."""

from __future__ import annotations

from typing import Any

import pytest
from tests.running import run

from lokikit import fields as f


def test_structlog_ends_in_the_contract() -> None:
    """Bound values and arguments are fields, exceptions tracebacks, the caller is the caller's."""
    hello, failed = run("""
import lokikit, structlog
lokikit.setup_json_logging()
lokikit.take_in_structlog()
log = structlog.get_logger("shop").bind(order=17)
structlog.contextvars.bind_contextvars(user="u")
def work():
    log.info("hello", amount=1)
    log.debug("unseen")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed")
work()
""")
    assert (hello[f.LOGGER], hello[f.MESSAGE], hello[f.LEVEL]) == ("shop", "hello", "info")
    assert (hello["order"], hello["amount"], hello["user"]) == (17, 1, "u")
    assert hello[f.CALLER].endswith(" work")
    assert (failed[f.EXC_TYPE], failed[f.LEVEL]) == ("ZeroDivisionError", "error")


def test_loguru_ends_in_the_contract() -> None:
    """Likewise; what `lokikit.bind` has is there too, braces and percents are only text."""
    hello, odd, failed = run("""
import lokikit
from loguru import logger
lokikit.setup_json_logging()
lokikit.take_in_loguru()
lokikit.bind(user="u")
def work():
    logger.bind(order=17).info("hello {}", 1)
    logger.warning("100 % {sure}")
    logger.debug("unseen")
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("failed")
work()
""")
    assert (hello[f.LOGGER], hello[f.MESSAGE], hello[f.LEVEL]) == ("__main__", "hello 1", "info")
    assert (hello["order"], hello["user"]) == (17, "u")
    assert hello[f.CALLER].endswith(" work")
    assert (odd[f.MESSAGE], odd[f.LEVEL]) == ("100 % {sure}", "warning")
    assert (failed[f.EXC_TYPE], failed[f.LEVEL]) == ("ZeroDivisionError", "error")


def test_level_of_loguru_keeps_its_name() -> None:
    """Its own and those of the application, also one with the number of another level."""
    lines = run("""
import lokikit
from loguru import logger
lokikit.setup_json_logging(level=1)
lokikit.take_in_loguru()
logger.level("AUDIT", no=30)
logger.trace("a")
logger.info("b")
logger.success("c")
logger.log("AUDIT", "d")
logger.log(33, "e")
""")
    assert [(line[f.LEVEL], line.get(f.LEVEL_NAME)) for line in lines] == [
        ("debug", "TRACE"),
        ("info", None),
        ("info", "SUCCESS"),
        ("warning", "AUDIT"),
        ("warning", None),
    ]


STRUCTLOG = """
import logging, lokikit, structlog
early = logging.getLogger("early")
lokikit.setup_json_logging()
lokikit.take_in_structlog()
log = structlog.get_logger("shop")
"""


CALLS = [
    ("log.info('%d items', 'x')", "%d items ('x',)"),
    ("log.info('100 %', 1)", "100 % (1,)"),
    ("log.info('a %s')", "a %s"),
    ("log.info(None)", "None"),
    ("log.info()", ""),
    ("log.info(a=1)", ""),
    ("log.info(event='m')", "m"),
    ("log.info('m', event='e', method_name='x', self=1, level='l', name='n')", "m"),
    ("log.log(25, 'm')", "m"),
    ("log.log(25, 'm', level=3)", "m"),
    ("log.log('warning', 'm %s', 1)", "m 1"),
    ("log.log(None, 'm')", "m"),
    ("log.exception('m')", "m"),
    ("log.info('m', stack_info=True, stacklevel='far')", "m"),
    ("log.info('m', stacklevel=10**9)", "m"),
    ("log.info('m', exc_info=(1,))", "m"),
    ("log.info('m', positional_args=3)", "m (3,)"),
    ("log.warn('%(a)s', {'a': 1})", "1"),
]


@pytest.fixture(scope="module")
def lines_of_calls() -> dict[str, dict[str, Any]]:
    """Call -> its line, of one program that makes them all."""
    calls = [call for call, _ in CALLS]
    lines = run(f"{STRUCTLOG}for call in {calls!r}:\n    exec(call)")
    return dict(zip(calls, lines, strict=True))


@pytest.mark.parametrize(("call", "message"), CALLS)
def test_no_structlog_call_raises_into_the_application(
    lines_of_calls: dict[str, dict[str, Any]], call: str, message: str
) -> None:
    """Arguments that fit nothing are in the line."""
    assert lines_of_calls[call][f.MESSAGE] == message


def test_a_level_between_two_names_is_the_lower_one() -> None:
    """As of the standard library; a logger above it drops the event."""
    (line,) = run(f"{STRUCTLOG}log.log(35, 'm')\nlog.setLevel(30)\nlog.log(25, 'unseen')")
    assert line[f.LEVEL] == "warning"


@pytest.mark.parametrize(
    "call",
    [
        "structlog.get_logger('early').info('m')",
        "log.info('m')",
        "asyncio.run(log.ainfo('m'))",
    ],
)
def test_the_caller_of_a_structlog_event_is_the_application(call: str) -> None:
    """Also for a logger that is older than the set-up of structlog, and for asynchronous calls."""
    source = call.replace("asyncio.run(log.ainfo('m'))", "asyncio.run(ask())")
    (line,) = run(f"""{STRUCTLOG}
import asyncio
async def ask():
    await log.ainfo('m')
def work():
    {source}
work()
""")
    assert line[f.CALLER].split()[-1] in {"work", "ask"}


INTERCEPT = """
import logging, sys, lokikit
from loguru import logger
class InterceptHandler(logging.Handler):
    def emit(self, record):
        level = logger.level(record.levelname).name
        frame, depth = logging.currentframe(), 2
        while frame and frame.f_code.co_filename == logging.__file__:
            frame, depth = frame.f_back, depth + 1
        logger.opt(depth=depth, exception=record.exc_info).log(level, record.getMessage())
"""
ON_ROOT = "logging.basicConfig(handlers=[InterceptHandler()], level=0, force=True)\n"
ON_LATER = "logging.getLogger().addHandler(InterceptHandler())"


@pytest.mark.parametrize(
    "order",
    [
        f"{ON_ROOT}lokikit.setup_json_logging()\nlokikit.take_in_loguru()",
        f"{ON_ROOT}lokikit.take_in_loguru()\nlokikit.setup_json_logging()",
        f"lokikit.setup_json_logging()\nlokikit.take_in_loguru()\n{ON_LATER}",
    ],
)
def test_an_intercept_handler_on_the_root_doubles_nothing(order: str) -> None:
    """Of either library each message has one line, in any order of set-up."""
    lines = run(f"""{INTERCEPT}{order}
logging.getLogger("shop").info("stdlib {{x}}")
logging.getLogger("shop").error("same")
logger.info("loguru")
try:
    1 / 0
except ZeroDivisionError:
    logging.exception("failed")
with lokikit.task("t"):
    pass
""")
    expected = ["stdlib {x}", "same", "loguru", "failed", "t started", "t succeeded"]
    assert [line[f.MESSAGE] for line in lines] == expected
    assert lines[3][f.EXC_TYPE] == "ZeroDivisionError"


def test_an_intercept_handler_that_alone_has_a_loggers_records_keeps_them() -> None:
    """They reach our handlers through loguru only."""
    lines = run(f"""{INTERCEPT}
lokikit.setup_json_logging()
lokikit.take_in_loguru()
own = logging.getLogger("uvicorn")
own.handlers, own.propagate = [InterceptHandler()], False
own.info("started")
""")
    assert [line[f.MESSAGE] for line in lines] == ["started"]


def test_a_message_of_loguru_is_the_records_own_text() -> None:
    """An error tracker groups by it, and a percent sign in it is no template."""
    (line,) = run("""
import logging, lokikit
from loguru import logger
seen = []
class Tracker(logging.Handler):
    def emit(self, record):
        seen.append(record.msg)
lokikit.setup_json_logging()
lokikit.take_in_loguru()
logging.getLogger().addHandler(Tracker())
logger.error("{} is 5%s late", "order 17")
assert seen == ["order 17 is 5%s late"], seen
""")
    assert line[f.MESSAGE] == "order 17 is 5%s late"
