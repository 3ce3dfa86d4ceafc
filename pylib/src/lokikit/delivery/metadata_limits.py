"""Limits of structured metadata; above them Loki refuses the whole line."""

from __future__ import annotations

from collections.abc import Mapping

from lokikit.delivery.entry import MAX_VALUE_BYTES
from lokikit.fields import DETECTED_LEVEL, METADATA_FIELDS, TRUNCATED

MAX_METADATA_ENTRIES = 32
"""`limits_config.max_structured_metadata_entries_count` of the kit's Loki; its default is 128."""
MAX_METADATA_BYTES = 16 * 1024
"""`limits_config.max_structured_metadata_size` of the kit's Loki; its default is 64 KB."""

_LATER = (*METADATA_FIELDS, DETECTED_LEVEL, TRUNCATED)
"""Number of names that an entry gets after its tags, from the line or from Loki."""
_ENTRIES = MAX_METADATA_ENTRIES - len(_LATER)
_BYTES = MAX_METADATA_BYTES - sum(len(name) + MAX_VALUE_BYTES for name in _LATER)


def fit_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the first items of `metadata` that fit beside those of the line."""
    fitting: dict[str, str] = {}
    left_bytes = _BYTES
    for name, value in metadata.items():
        size_bytes = len(name.encode()) + len(value.encode())
        if len(fitting) < _ENTRIES and size_bytes <= left_bytes:
            fitting[name] = value
            left_bytes -= size_bytes
    return fitting
