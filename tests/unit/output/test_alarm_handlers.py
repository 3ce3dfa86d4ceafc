from __future__ import annotations

import io
import logging
import logging.handlers
from typing import TYPE_CHECKING

import pytest
from django.utils.log import AdminEmailHandler
from tests.running import messages, run

import lokikit
from lokikit.output.alarm_handlers import is_alarm
from lokikit.output.event_log import drop_duplicate_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAIL = logging.handlers.SMTPHandler("127.0.0.1", "a@shop.example", ["b@shop.example"], "error")


class Tracker(logging.Handler):
    __module__ = "rollbar.logger"


class OwnTracker(Tracker):
    pass


class LogCaptureHandler(logging.Handler):
    __module__ = "_pytest.logging"


class OurCapture(logging.Handler):
    captures_our_lines = True


def with_level(handler: logging.Handler, level: int) -> logging.Handler:
    handler.setLevel(level)
    return handler


def with_our_lines(handler: logging.Handler) -> logging.Handler:
    handler.setFormatter(lokikit.JsonFormatter())
    return handler


@pytest.mark.parametrize(
    "handler",
    [
        Tracker(),
        OwnTracker(),
        MAIL,
        AdminEmailHandler(reporter_class="logging.Handler"),
        logging.handlers.MemoryHandler(10, target=MAIL),
        with_level(logging.Handler(), logging.ERROR),
    ],
    ids=["tracker", "subclass", "mail", "django", "buffered", "errors"],
)
def test_what_reports_errors_to_people_is_an_alarm(handler: logging.Handler) -> None:
    assert is_alarm(handler)


@pytest.mark.parametrize(
    "handler",
    [
        logging.StreamHandler(io.StringIO()),
        logging.handlers.MemoryHandler(10, target=logging.NullHandler()),
        with_level(logging.Handler(), logging.WARNING),
        with_our_lines(with_level(logging.Handler(), logging.ERROR)),
        with_level(LogCaptureHandler(), logging.ERROR),
        with_level(OurCapture(), logging.ERROR),
    ],
    ids=["stream", "buffered", "warnings", "our-lines", "caplog", "logged"],
)
def test_what_keeps_lines_is_none(handler: logging.Handler) -> None:
    assert not is_alarm(handler)


@pytest.fixture
def seen() -> Iterator[Callable[[], list[str]]]:
    """What a handler that takes errors alone gets, at the root logger."""
    messages: list[str] = []
    handler = with_level(logging.Handler(), logging.ERROR)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    yield lambda: messages
    logging.getLogger().removeHandler(handler)


def test_a_task_that_fails_is_no_alarm_of_its_own(
    seen: Callable[[], list[str]], lines: Callable[[], list[dict[str, object]]]
) -> None:
    """Who raised it may log it, and its own tracker has seen it raised."""
    with pytest.raises(KeyError), lokikit.task("import"):
        raise KeyError("x")
    assert [line["action"] for line in lines()] == ["run", "fail"]
    assert seen() == []


def test_a_record_that_is_left_out_goes_by_the_method_that_trackers_replace(
    monkeypatch: pytest.MonkeyPatch,
    seen: Callable[[], list[str]],
    lines: Callable[[], list[object]],
) -> None:
    calls: list[tuple[str, str]] = []
    original = logging.Logger.callHandlers

    def replaced(self: logging.Logger, record: logging.LogRecord) -> None:
        calls.append((self.name, record.getMessage()))
        original(self, record)

    monkeypatch.setattr(logging.Logger, "callHandlers", replaced)
    drop_duplicate_records("library.of.a.test", lambda _: True)
    logging.getLogger("library.of.a.test").critical("it failed")
    assert calls == [("library.of.a.test", "it failed")]
    assert seen() == ["it failed"]
    assert lines() == []


def test_a_record_that_is_left_out_is_not_printed_where_nobody_else_listens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    drop_duplicate_records("another.library.of.a.test", lambda _: True)
    logger = logging.getLogger("another.library.of.a.test")
    logger.propagate = False
    logger.critical("it failed")
    assert capsys.readouterr().err == ""


def test_a_record_that_is_left_out_does_not_come_back_through_loguru() -> None:
    """As its documentation's `InterceptHandler` on the root logger would send it."""
    lines = run("""
import logging, lokikit
from loguru import logger
from lokikit.output.event_log import drop_duplicate_records
class InterceptHandler(logging.Handler):
    def emit(self, record):
        logger.opt(depth=6).log(record.levelname, record.getMessage())
lokikit.setup_json_logging()
lokikit.take_in_loguru()
logging.getLogger().addHandler(InterceptHandler())
drop_duplicate_records("library", lambda record: record.getMessage() == "told")
logging.getLogger("library").error("told")
logging.getLogger("library").error("not told")
""")
    assert messages(lines) == ["not told"]


def test_a_logger_that_does_not_propagate_reaches_no_more_than_before() -> None:
    """Uvicorn's, say, whose exceptions a tracker at the root did not get."""
    lines = run("""
import logging, sys, lokikit
seen = []
tracker = logging.Handler()
tracker.emit = lambda record: seen.append(record.getMessage())
logging.getLogger().addHandler(tracker)
server = logging.getLogger("server")
server.addHandler(logging.StreamHandler())
server.propagate = False
lokikit.setup_json_logging()
lokikit.setup_json_logging()
logging.getLogger("server.error").error("Exception in ASGI application")
logging.error("mine")
assert seen == ["mine"], seen
""")
    assert messages(lines) == ["Exception in ASGI application", "mine"]


def test_what_reports_errors_behind_a_queue_gets_no_line_of_ours() -> None:
    """As in `QueueListener(queue, mail, file)`, whose other handlers get it."""
    lines = run("""
import logging, logging.handlers, queue, lokikit
class Kept(logging.Handler):
    def __init__(self, level=logging.NOTSET):
        super().__init__(level)
        self.seen = []
    def emit(self, record):
        self.seen.append(record.getMessage().partition("\\n")[0])
mail, file = Kept(logging.ERROR), Kept()
waiting = queue.Queue()
listener = logging.handlers.QueueListener(waiting, mail, file, respect_handler_level=True)
logging.getLogger().addHandler(logging.handlers.QueueHandler(waiting))
lokikit.setup_json_logging()
listener.start()
try:
    with lokikit.task("import"):
        raise KeyError("x")
except KeyError:
    logging.error("mine")
listener.stop()
assert mail.seen == ["mine"], mail.seen
assert file.seen == ["import started", "import failed: KeyError: 'x'", "mine"], file.seen
""")
    assert messages(lines) == ["import started", "import failed: KeyError: 'x'", "mine"]


CONFIGURED = """
import logging, logging.config, lokikit
seen = []
class Tracker(logging.Handler):
    def emit(self, record):
        seen.append((self.name, record.getMessage()))
logging.getLogger().addHandler(Tracker())
file = logging.FileHandler("/dev/null")
logging.getLogger().addHandler(file)
config = lokikit.logging_config()
config["handlers"]["tracker"] = {"()": Tracker}
config["root"]["handlers"].append("tracker")
for _ in range(3):
    logging.config.dictConfig(config)
logging.error("mine")
assert sorted(seen, key=str) == [("tracker", "mine"), (None, "mine")], seen
assert file in logging.getLogger().handlers
"""


def test_a_configuration_leaves_what_the_application_had_at_the_root() -> None:
    """As Django's settings, where a tracker is started before they are applied; each once."""
    assert messages(run(CONFIGURED)) == ["mine"]
