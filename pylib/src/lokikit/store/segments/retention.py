"""Deletion of what is too old: whole segments; queries leave out the other old rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lokikit.store.segments.segment import Segment


def expired_segments(segments: Iterable[Segment], oldest_kept_ns: int) -> list[Segment]:
    """Segments whose rows are all older than that."""
    return [segment for segment in segments if segment.name.max_ns < oldest_kept_ns]
