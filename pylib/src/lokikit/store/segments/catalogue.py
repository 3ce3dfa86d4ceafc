"""The segments and unsealed rows of a store, and the repair of what a crash left half done."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lokikit.store.segments.append_log import log_number
from lokikit.store.segments.damaged import DAMAGED, set_aside
from lokikit.store.segments.database import Cursor, DatabaseError
from lokikit.store.segments.disk import TEMPORARY, remove_files, write_file
from lokikit.store.segments.duplicates import newest_sealed
from lokikit.store.segments.segment import Segment, SegmentName, segment_name, summary_path
from lokikit.store.segments.summary import Summary, decode_summary, summarize

if TYPE_CHECKING:
    from lokikit.store.segments.counters import Counters
    from lokikit.store.segments.head import Head
    from lokikit.store.segments.streams import Streams

_CHECKSUM = "its checksum differs"


class Holdings(NamedTuple):
    """The segments and heads at one moment: each row is in exactly one of these.

    Args:
        segments: in the order of their logs.
        heads: the oldest first; the last takes new rows, the others wait to be sealed.
    """

    segments: tuple[Segment, ...] = ()
    heads: tuple[Head, ...] = ()


class Catalogue:
    """The segments and heads of a store.

    Attributes:
        newest: stream -> time of its newest sealed row.
    """

    def __init__(self, folder: Path, counters: Counters) -> None:
        self._folder, self._counters = folder, counters
        self._lock = threading.Lock()
        self._holdings = Holdings()
        self.newest: dict[int, int] = {}

    @property
    def holdings(self) -> Holdings:
        """The current segments and heads."""
        return self._holdings

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in the order of their logs."""
        return self._holdings.segments

    @property
    def last_log(self) -> int:
        """Number of the newest log that a segment has or had; 0 without segments."""
        aside = (self._folder / DAMAGED).glob("*.parquet")
        names = [name for path in aside if (name := segment_name(path))]
        names += [segment.name for segment in self.segments]
        return max((name.last_log for name in names), default=0)

    def add_head(self, head: Head) -> None:
        """Let this head take the new rows."""
        with self._lock:
            segments, heads = self._holdings
            self._holdings = Holdings(segments, (*heads, head))

    def replace(
        self, old: Iterable[Segment], new: Iterable[Segment], sealed: Head | None = None
    ) -> None:
        """Take some segments and a head out and other segments in, in one step."""
        gone = set(map(id, old))
        with self._lock:
            segments, heads = self._holdings
            kept = [segment for segment in segments if id(segment) not in gone]
            self._holdings = Holdings(
                tuple(sorted((*kept, *new), key=lambda segment: segment.name)),
                tuple(head for head in heads if head is not sealed),
            )
            self.newest = newest_sealed(self._holdings.segments)

    def intact(self, segments: Iterable[Segment]) -> list[Segment]:
        """The segments whose checksum is right; the others are set aside."""
        return [segment for segment in segments if self._keep(segment)]

    def _keep(self, segment: Segment) -> bool:
        if segment.is_intact():
            return True
        with self._lock:
            segments, heads = self._holdings
            kept = tuple(one for one in segments if one is not segment)
            self._holdings = Holdings(kept, heads)
        if len(kept) < len(segments):
            files = [segment.path, summary_path(segment.path)]
            set_aside(self._folder, files, self._counters, _CHECKSUM)
        return False

    def load(self, cursor: Cursor, streams: Streams) -> None:
        """Find the segments, and finish what a crash left."""
        paths = {name: path for path in self._folder.iterdir() if (name := segment_name(path))}
        found = [
            segment
            for name, path in sorted(paths.items())
            if (segment := self._open(cursor, streams, name, path))
        ]
        self.replace([], found)
        self._finish_merges()
        for segment in self.segments:
            known = {n: one.labels for n, one in segment.summary.streams.items() if one.labels}
            streams.restore(known)
            streams.name_unknown(segment.streams)
        self._finish_seals()
        self._remove_leftovers()

    def _open(
        self, cursor: Cursor, streams: Streams, name: SegmentName, path: Path
    ) -> Segment | None:
        summary = self._read_summary(path)
        if summary is None:
            try:
                summary = summarize(cursor, path, lambda n: streams.all().get(n, {}))
            except (DatabaseError, ValueError) as error:
                set_aside(self._folder, [path], self._counters, str(error).splitlines()[0])
                return None
            write_file(summary_path(path), summary.encode())
            self._counters.notice(f"the summary of {path.name} was lost and is computed again")
        return Segment(path, name, summary)

    def _read_summary(self, path: Path) -> Summary | None:
        try:
            return decode_summary(summary_path(path).read_bytes())
        except FileNotFoundError:
            return None

    def _finish_merges(self) -> None:
        """Delete segments whose rows are all in a larger one that is intact."""
        for segment in self.segments:
            covering = [one for one in self.segments if one.name.covers(segment.name)]
            if self.intact(covering):
                self.replace([segment], [])
                remove_files([segment.path, summary_path(segment.path)])

    def _finish_seals(self) -> None:
        """Delete logs whose rows are in a segment that is intact."""
        for path in list(self._folder.iterdir()):
            number = log_number(path)
            if number is not None and self.intact(self._with_log(number)):
                path.unlink()

    def _with_log(self, number: int) -> list[Segment]:
        return [one for one in self.segments if one.name.first_log <= number <= one.name.last_log]

    def _remove_leftovers(self) -> None:
        for path in list(self._folder.iterdir()):
            is_lonely = path.suffix == ".summary" and not path.with_suffix(".parquet").exists()
            if path.suffix == TEMPORARY or is_lonely:
                path.unlink()
