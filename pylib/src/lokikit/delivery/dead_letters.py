"""Entries that Loki refuses for good, in a file that a person can read and send again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.delivery.entry import valid_json

if TYPE_CHECKING:
    from lokikit.delivery.entry import Entry

_KINDS = {
    "too far behind": "too_far_behind",
    "too old": "too_old",
    "too new": "too_new",
    "too large": "too_large",
    "too long": "too_large",
    "too big": "too_large",
    "max entry size": "too_large",
}
OTHER_KIND = "refused"
MAX_BYTES = 64 * 1024 * 1024
"""Limit of the file; further letters are only counted, so that they never fill the disk."""
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def refusal_kind(reason: str) -> str:
    """Return a word for Loki's reason, to count by."""
    return next((kind for words, kind in _KINDS.items() if words in reason), OTHER_KIND)


class DeadLetters:
    """Appends refused entries, one JSON object a line, readable by the owner only.

    Args:
        path: the file; `None` keeps no letters.
        time_ns: clock for the time of the refusal.
        max_bytes: size at which the file takes no more letters.
    """

    def __init__(
        self,
        path: Path | None,
        time_ns: Callable[[], int] = time.time_ns,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.path = path
        self._time_ns = time_ns
        self._max_bytes = max_bytes

    def keep(self, entry: Entry, reason: str) -> bool:
        """Append an entry with the reason of its refusal; return False when there is no room.

        Raises:
            OSError: the disk does not take the letter.
        """
        if self.path is None or _size_bytes(self.path) >= self._max_bytes:
            return False
        letter = {
            "refused_at": datetime.fromtimestamp(self._time_ns() / 1e9, timezone.utc),
            "reason": reason,
            "timestamp_ns": str(
                entry.timestamp_ns
            ),  # text, as in the push API: no reader rounds it
            "labels": entry.labels,
            "metadata": entry.metadata,
            "line": entry.line,
        }
        data = _dump(letter)
        with os.fdopen(os.open(self.path, _APPEND, 0o600), "ab") as file:
            file.write(data)
        return True


def _dump(letter: dict[str, Any]) -> bytes:
    options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
    try:
        return orjson.dumps(letter, option=options)
    except TypeError:
        refused_at = letter["refused_at"]
        return orjson.dumps({**valid_json(letter), "refused_at": refused_at}, option=options)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
