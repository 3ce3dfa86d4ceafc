"""The level of a record: a level of the contract, and the name of an application's own level."""

from __future__ import annotations

import logging
from typing import Any

from lokikit import fields as f
from lokikit.output.safe_text import COLOUR_CODE, text

LEVELS = {(10 * number, level.upper()): level for number, level in enumerate(f.LEVELS, 1)}
"""Number and name of the levels of `logging` -> ours."""
_KNOWN_NAMES = frozenset({*(name for _, name in LEVELS), "WARN", "FATAL", "NOTSET"})
_UNNAMED = "LEVEL "
"""Beginning of the name that `logging` makes for a level without a name."""


def own_level(record: logging.LogRecord, fields: dict[Any, Any]) -> str:
    """Return the contract's level for a record with another level; add its name to `fields`."""
    name = COLOUR_CODE.sub("", text(record.levelname)).strip()
    if name and name.upper() not in _KNOWN_NAMES and not name.upper().startswith(_UNNAMED):
        fields.setdefault(f.LEVEL_NAME, name)
    return level_at_or_below(record.levelno)


def level_at_or_below(number: Any) -> str:
    """Return the level at or below a number; `info` for other values."""
    if not isinstance(number, int):
        return "info"
    return f.LEVELS[min(max(number // 10, 1), len(f.LEVELS)) - 1]
