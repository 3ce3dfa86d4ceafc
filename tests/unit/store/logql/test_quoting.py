from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lokikit.store.logql.quoting import quote, unescape, write_fixed, write_literal


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("a é 😀", '"a é 😀"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\x00\x7f", r'"\x00\x7f"'),
        ("\u200b", r'"\u200b"'),
        ("\U000e0001", r'"\U000e0001"'),
        ("\udcff", r'"\xff"'),
    ],
)
def test_literals_are_quoted_as_go_does(text: str, literal: str) -> None:
    """Printable text stays as it is."""
    assert quote(text) == literal


@given(
    st.text(
        st.characters(codec="utf-8") | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)
    )
)
def test_what_is_quoted_reads_back(text: str) -> None:
    """Bytes that are no UTF-8 too: Python keeps these as surrogates."""
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    assert unescape(quote(text)[1:-1]) == whole


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"),
        (-0.5, "-0.5"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (0.1, "0.1"),
    ],
)
def test_numbers_of_filters_have_no_exponent(value: float, text: str) -> None:
    """However large or small."""
    assert write_fixed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (999999.0, "999999"),
        (1e6, "1e+06"),
        (1953125.0, "1.953125e+06"),
        (1e-4, "0.0001"),
        (1e-5, "1e-05"),
        (-1.5e300, "-1.5e+300"),
    ],
)
def test_literals_have_an_exponent_from_a_million(value: float, text: str) -> None:
    """As Loki writes these."""
    assert write_literal(value) == text
