from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from lokikit.cli import app
from lokikit.cli import last as last_command

if TYPE_CHECKING:
    import pytest


def test_a_search_without_a_line_is_named_with_its_conditions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A level with a typing mistake shows in the answer."""
    empty = SimpleNamespace(last=lambda *_, **__: [])
    monkeypatch.setattr(last_command, "loki_from", lambda: empty)
    app.command_line(["last"])(["last", "shop", "--level", "eror"], standalone_mode=False)
    assert capsys.readouterr().err == "lokikit: no lines of shop level=eror within 7d.\n"
