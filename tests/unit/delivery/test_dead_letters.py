from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from lokikit.delivery.dead_letters import DeadLetters, refusal_kind
from lokikit.delivery.entry import Entry

if TYPE_CHECKING:
    from pathlib import Path


def test_letter_is_readable(tmp_path: Path) -> None:
    """A dead letter holds all of the entry and the reason; only the owner reads it."""
    path = tmp_path / "dead.ndjson"
    letters = DeadLetters(path, lambda: 1_500_000_000)
    assert letters.keep(Entry(10**21, "line", {"service_name": "a"}, {"host": "h"}), "why")
    assert letters.keep(Entry(-1, "other", {}, {}), "why")
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == {
        "refused_at": "1970-01-01T00:00:01.500000Z",
        "reason": "why",
        "timestamp_ns": "1000000000000000000000",
        "labels": {"service_name": "a"},
        "metadata": {"host": "h"},
        "line": "line",
    }
    assert second["timestamp_ns"] == "-1"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_file_keeps_nothing() -> None:
    """Without a file the answer is that the entry is not kept."""
    assert not DeadLetters(None).keep(Entry(1, "line", {}, {}), "why")


def test_the_file_has_a_limit(tmp_path: Path) -> None:
    """A storm of letters fills no disk: further ones are not kept, and the answer says so."""
    letters = DeadLetters(tmp_path / "dead.ndjson", max_bytes=1000)
    kept = [letters.keep(Entry(1, "line", {}, {}), "why") for _ in range(100)]
    assert kept == sorted(kept, reverse=True)
    assert 0 < sum(kept) < 100
    assert (tmp_path / "dead.ndjson").stat().st_size < 1200


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("entry for stream 'x' has timestamp too old: y", "too_old"),
        ("entry for stream 'x' has timestamp too new: y", "too_new"),
        ("ignored, reason: 'entry too far behind, entry timestamp is", "too_far_behind"),
        ("structured metadata too large: '70010' bytes", "too_large"),
        ("something new", "refused"),
    ],
)
def test_kinds(reason: str, kind: str) -> None:
    """Loki's reasons are counted under one word each."""
    assert refusal_kind(reason) == kind


def test_text_that_utf_8_cannot_say_is_replaced_in_a_letter(tmp_path: Path) -> None:
    letters = DeadLetters(tmp_path / "dead.ndjson", lambda: 0)
    assert letters.keep(Entry(1, "line", {"service_name": "caf\udce9"}, {}), "why")
    letter = json.loads((tmp_path / "dead.ndjson").read_text())
    assert (letter["labels"], letter["refused_at"]) == (
        {"service_name": "caf?"},
        "1970-01-01T00:00:00Z",
    )
