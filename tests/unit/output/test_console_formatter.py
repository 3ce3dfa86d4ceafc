import logging
import re

from lokikit.output.console_formatter import ConsoleFormatter


def _record(**attributes):
    return logging.makeLogRecord(
        {"msg": "order %s placed", "args": (7,), "name": "shop", "levelno": 20, **attributes}
    )


def test_a_line_is_time_level_logger_message_and_fields():
    """In this order, strings with spaces in quotes."""
    text = ConsoleFormatter().format(_record(user=7, city="Bad Ems", ok=True))
    assert re.fullmatch(
        r'\d\d:\d\d:\d\d\.\d{3} info     shop order 7 placed user=7 city="Bad Ems" ok=true', text
    )


def test_what_every_line_would_repeat_is_left_out():
    """Service, host, pid, thread and caller are for machines."""
    text = ConsoleFormatter(service="api", env="dev").format(_record())
    assert "api" not in text
    assert "MainThread" not in text


def test_a_traceback_stands_below():
    """As Python prints it."""
    lines = ConsoleFormatter().format(_record(exc_info=ValueError("no"))).splitlines()
    assert lines[0].endswith("order 7 placed")
    assert lines[-1] == "ValueError: no"


def test_no_log_line_can_steer_the_terminal():
    """Escape sequences in what is logged are shown, not sent."""
    text = ConsoleFormatter(colour=True).format(_record(msg="\x1b]0;owned\x07", args=(), a="\x1b["))
    assert "\x1b]" not in text
    assert "\\x1b]0;owned\\x07" in text
    assert text.endswith("\\x1b[")


def test_the_name_of_a_logger_cannot_steer_the_terminal():
    text = ConsoleFormatter().format(_record(name="\x1b]0;owned\x07"))
    assert "\x1b" not in text
    assert "\\x1b]0;owned\\x07" in text


def test_neither_a_logger_nor_a_field_begins_a_line_of_its_own():
    text = ConsoleFormatter().format(_record(name="a\n12:00", **{"b\n12:00": "c\n12:00"}))
    assert "\n" not in text


def test_a_message_may_have_several_lines():
    """Line ends and tabs are kept."""
    assert ConsoleFormatter().format(_record(msg="a\n\tb", args=())).endswith("a\n\tb")


def test_colours_are_sent_only_when_asked_for():
    """Level in its colour."""
    assert "\x1b[31merror" in ConsoleFormatter(colour=True).format(_record(levelno=40))
    assert "\x1b" not in ConsoleFormatter().format(_record(levelno=40))


def test_secrets_are_redacted_here_too():
    """A terminal is recorded as well."""
    assert "password=[redacted]" in ConsoleFormatter().format(_record(password="hunter2"))  # noqa: S106
