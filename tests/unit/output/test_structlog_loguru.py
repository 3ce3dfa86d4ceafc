"""structlog and loguru: each program in a process of its own."""

from __future__ import annotations

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
