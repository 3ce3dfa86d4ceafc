from __future__ import annotations

import pytest

from lokikit.output.terminal_text import escape_controls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m\x07", r"\x1b[31m\x07"),
        ("a\rb\x7f", r"a\x0db\x7f"),
        ("\x9b1A", r"\x9b1A"),
        ("\udc80", r"\udc80"),
    ],
    ids=["escape", "carriage return", "C1", "surrogate"],
)
def test_controls_are_escaped(text: str, shown: str) -> None:
    assert escape_controls(text) == shown


def test_readable_text_stays() -> None:
    assert escape_controls("a\tb\nÄ € 😀\\") == "a\tb\nÄ € 😀\\"
