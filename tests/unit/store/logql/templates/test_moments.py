from __future__ import annotations

import pytest

from lokikit.store.logql.templates.moment_parser import parse_moment
from lokikit.store.logql.templates.moments import Moment, moment_in

_AT = Moment(1_700_000_000_123_456_789)


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("2006-01-02T15:04:05.000Z07:00", "2023-11-14T22:13:20.123Z"),
        ("Mon Jan _2 3:04PM 06", "Tue Nov 14 10:13PM 23"),
        ("002 .999999999 pm", "318 .123456789 pm"),
        ("January", "November"),
        ("Janx", "Janx"),
    ],
)
def test_layouts(layout: str, text: str):
    assert _AT.format(layout) == text


def test_a_time_prints_with_its_zone():
    assert str(moment_in(_AT.time_ns, "Europe/Berlin")) == "2023-11-14 23:13:20.123456789 +0100 CET"


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("2006-01-02T15:04:05Z07:00", "2023-11-14T23:13:20.123456789+01:00"),
        ("02 Jan 06 15:04:05.999 MST", "14 Nov 23 22:13:20.123456789 UTC"),
        ("2006-002 3:04:05PM.000000000", "2023-318 10:13:20PM.123456789"),
    ],
)
def test_times_are_read_by_their_layout(layout: str, text: str):
    assert parse_moment(layout, text, "UTC").time_ns == _AT.time_ns


@pytest.mark.parametrize("text", ["2023-02-30", "2023-13-01", "x", ""])
def test_texts_that_name_no_day_are_refused(text: str):
    with pytest.raises(ValueError, match=r"."):
        parse_moment("2006-01-02", text, "UTC")


def test_a_clock_time_that_a_zone_leaves_out_is_read_as_go_reads_it():
    at = parse_moment("2006-01-02 15:04", "2021-03-14 02:30", "America/New_York")
    assert str(at) == "2021-03-14 01:30:00 -0500 EST"


def test_the_year_0_of_a_text_without_a_year():
    assert str(parse_moment("15:04", "05:06", "UTC")) == "0000-01-01 05:06:00 +0000 UTC"
