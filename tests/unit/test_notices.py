from __future__ import annotations

from lokikit.notices import EVERY_S, Notices


def test_a_kind_is_said_once_a_minute() -> None:
    """Within a minute the same kind is said once, another kind is not held up."""
    said: list[str] = []
    now_s = 0.0
    notices = Notices(said.append, lambda: now_s)
    results = [notices.say("a", "1"), notices.say("a", "2"), notices.say("b", "3")]
    now_s = EVERY_S
    results.append(notices.say("a", "4"))
    assert results == [True, False, True, True]
    assert said == ["1", "3", "4"]
