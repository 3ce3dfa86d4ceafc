from __future__ import annotations

from lokikit.cli.output import wants_colour


def test_no_colour_into_a_pipe() -> None:
    """Output that is no terminal gets no colour."""
    assert not wants_colour({})
