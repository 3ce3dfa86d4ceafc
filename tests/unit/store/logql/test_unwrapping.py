from __future__ import annotations

import math

import pytest

from lokikit.store.logql.unwrapping import duration_seconds, parse_number, size_bytes


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1_000", 1000),
        ("0x1p4", 16),
        ("0x1_0p0", 16),
        ("+5", 5),
        (".5", 0.5),
        ("5.", 5),
        ("1e5", 100_000),
        ("infinity", math.inf),
        ("-Inf", -math.inf),
        ("1e-400", 0),
        ("-0", 0),
    ],
)
def test_numbers_that_go_reads(text, value):
    """Each asked of a real Loki with `unwrap`."""
    assert parse_number(text) == value


def test_nan():
    assert math.isnan(parse_number("nan"))


@pytest.mark.parametrize(
    "text", [" 5", "5 ", "0b1", "0x10", "1d", "", "1__0", "_1", "--1", "\u0661"]
)
def test_texts_that_are_no_numbers(text):
    with pytest.raises(ValueError, match="invalid syntax"):
        parse_number(text)


def test_large_numbers_are_out_of_range():
    with pytest.raises(ValueError, match='parsing "1e400": value out of range'):
        parse_number("1e400")


def test_duration():
    assert duration_seconds("-1m3.5s") == -63.5


def test_wrong_duration_is_worded_as_in_go():
    with pytest.raises(ValueError, match='time: unknown unit "d" in duration "1d"'):
        duration_seconds("1d")


def test_size():
    assert size_bytes("1.5KiB") == 1536


def test_wrong_size_is_named():
    with pytest.raises(ValueError, match="unhandled size name: s"):
        size_bytes("5s")
