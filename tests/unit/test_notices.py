from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.notices import EVERY_S, Notices, to_stderr

if TYPE_CHECKING:
    import pytest


def test_a_kind_is_said_once_a_minute() -> None:
    """Within a minute the same kind is said once, another kind is not held up."""
    entries: list[str] = []
    now_s = 0.0
    notices = Notices(entries.append, lambda: now_s)
    results = [notices.say("a", "1"), notices.say("a", "2"), notices.say("b", "3")]
    now_s = EVERY_S
    results.append(notices.say("a", "4"))
    assert results == [True, False, True, True]
    assert entries == ["1", "3", "4"]


def test_without_a_stderr_nothing_is_printed_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There stand the lines of the contract."""
    monkeypatch.setattr("sys.stderr", None)
    to_stderr("text")
    assert capsys.readouterr().out == ""


def test_a_stderr_of_the_application_that_breaks_raises_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr", object())
    to_stderr("text")
