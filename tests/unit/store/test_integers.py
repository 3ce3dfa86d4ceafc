from __future__ import annotations

import pytest

from lokikit.store.integers import read_decimal


@pytest.mark.parametrize("text", ["0", "-7", "+7", "007", "9223372036854775808"])
def test_a_short_number_is_read_as_it_stands(text: str):
    assert read_decimal(text) == int(text)


def test_zeros_in_front_count_nothing_however_many():
    assert read_decimal("-" + "0" * 5000 + "7") == -7
    assert read_decimal("0" * 5000) == 0


def test_a_number_of_thousands_of_digits_is_beyond_64_bits():
    assert read_decimal("9" * 5000) > 1 << 64
    assert read_decimal("-" + "9" * 5000) < -(1 << 64)
