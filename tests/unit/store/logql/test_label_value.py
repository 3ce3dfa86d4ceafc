from __future__ import annotations

from lokikit.store.logql.label_value import LabelValue
from lokikit.store.logql.labels_builder import LineState
from lokikit.store.logql.parse_hints import ParseHints
from lokikit.store.logql.syntax import Unwrap
from lokikit.store.rows import Row


def state(**labels: str) -> LineState:
    return LineState(Row(1, labels, {}, "x"), ParseHints())


def test_value_of_a_label():
    assert LabelValue(Unwrap("v"))(state(v="1.5")) == 1.5


def test_empty_label_has_no_value():
    assert LabelValue(Unwrap("v"))(state(v="")) is None


def test_conversion():
    assert LabelValue(Unwrap("v", "duration"))(state(v="2m")) == 120


def test_text_that_cannot_be_converted_fails_the_line():
    line = state(v="x")
    LabelValue(Unwrap("v"))(line)
    assert (line.error, line.error_details) == (
        "SampleExtractionErr",
        'strconv.ParseFloat: parsing "x": invalid syntax',
    )


def test_earlier_error_stays():
    line = state(v="x")
    line.fail("JSONParserErr")
    LabelValue(Unwrap("v"))(line)
    assert line.error == "JSONParserErr"
