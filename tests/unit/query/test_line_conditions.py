from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest

from lokikit.errors import SettingsError
from lokikit.query.client import Loki
from lokikit.query.line_conditions import Precision, field_is, quoted, selector
from lokikit.query.results import LogEntry

LOKI = Loki("http://127.0.0.1:9")


class Colour(Enum):
    """A value of an application."""

    RED = "red"


def test_a_question_in_logql() -> None:
    """Streams first, then what is quick to look for, then what needs the line parsed."""
    asked = LOKI.logs(service="api").where(level="error", http_status=500).contains("slow")
    assert asked.query == (
        '{service_name="api"} |= "500" or "500.0" |= "slow" | json lokikit_1="[\\"http_status\\"]" '
        '| (detected_level="error") | (lokikit_1="500" or lokikit_1="500.0") '
        "| drop lokikit_1, __error__, __error_details__"
    )


def test_streams_of_any_service() -> None:
    """Without labels all services are asked."""
    assert LOKI.logs().query == '{service_name=~".+"}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Decimal("1.50"), "1.50"),
        (Colour.RED, "red"),
        (datetime(2026, 11, 21, tzinfo=timezone.utc), "2026-11-21"),
    ],
)
def test_values_stand_as_the_formatter_writes_them(value: object, text: str) -> None:
    """What was logged as an object is found by the same object."""
    condition = field_is("x", value)
    assert condition.label_filter is not None
    assert f'x="{text}' in condition.label_filter("x")


def test_loki_alone_is_exact_about_words_and_numbers() -> None:
    """Ordinary values are counted by Loki; a space is what Loki reads U+FFFD as."""
    assert field_is("user", "ann").precision is Precision.EXACT
    assert field_is("user", 7).precision is Precision.EXACT
    assert field_is("user", "ann b").precision is Precision.UNLESS_REPLACED
    assert field_is("user", None).precision is Precision.TOO_MUCH


def test_levels_are_those_that_loki_detects() -> None:
    """Our `warning` is Loki's `warn`; a level that Loki does not know is a field of the line."""
    assert LOKI.logs().where(level="warning").query.endswith('| (detected_level="warn")')
    assert "detected_level" not in LOKI.logs().where(level="loud").query


@pytest.mark.parametrize("level", ["fatal", "trace"])
def test_levels_that_only_others_write_are_detected_ones(level: str) -> None:
    """Who carries a line of pino says `fatal` of its 60."""
    assert LOKI.logs().where(level=level).query.endswith(f'| (detected_level="{level}")')
    asked = LOKI.logs().where(level=["error", level]).query
    assert asked.endswith(f'| (detected_level="error" or detected_level="{level}")')


def test_a_detected_level_is_found_beside_a_word_that_is_none() -> None:
    condition = field_is("level", ["error", "loud"])
    assert condition.label_filter is not None
    assert condition.label_filter("x") == '(detected_level="error") or (x="loud")'
    entries = [
        LogEntry(1, '{"level": "ERROR"}', {}, {"detected_level": "error"}),
        LogEntry(1, '{"level": "loud"}', {}, {"detected_level": "unknown"}),
        LogEntry(1, '{"level": "INFO"}', {}, {"detected_level": "info"}),
    ]
    assert [condition.holds(entry) for entry in entries] == [True, True, False]


def test_the_first_of_no_lines_is_none() -> None:
    """`limit(0)` asks Loki for nothing."""
    assert LOKI.logs().limit(0).first() is None


def test_quotes_end_no_string() -> None:
    """Neither quotes nor backslashes nor ends of lines leave the string."""
    assert quoted('a"} b\\\n`') == '"a\\"} b\\\\\\n`"'


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: selector({"service-name": "x"}),
        lambda: selector({"service_name": 7}),
        lambda: field_is("user", {"a": 1}),
        lambda: field_is("user", []),
        lambda: field_is("user", [[1]]),
        lambda: LOKI.logs().limit(-1),
        lambda: LOKI.logs().since("yesterday"),
    ],
)
def test_what_means_nothing_is_refused(wrong: object) -> None:
    """A mistake of the program is an error where it stands, before Loki is asked."""
    assert callable(wrong)
    with pytest.raises(SettingsError):
        wrong()
