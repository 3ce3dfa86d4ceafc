"""The store: takes lines, keeps them on the disk, and returns them in the order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from filelock import FileLock, Timeout

from lokikit.errors import PrerequisiteError
from lokikit.store.logql.matchers import selects
from lokikit.store.rows import Direction, Row, RowSource
from lokikit.store.segments.append_log import open_unbuffered
from lokikit.store.segments.catalogue import Catalogue
from lokikit.store.segments.core import Core, Waste
from lokikit.store.segments.counters import Counters
from lokikit.store.segments.database import Cursor, open_database
from lokikit.store.segments.disk import remove_files, remove_old_snapshots
from lokikit.store.segments.disk_guard import DiskGuard, free_bytes
from lokikit.store.segments.format_mark import check_format
from lokikit.store.segments.ingest import Ingest
from lokikit.store.segments.replay import replay_logs
from lokikit.store.segments.scan import RowSelection, scan_parts
from lokikit.store.segments.schema import LINE_BYTES, Part, PushedEntry
from lokikit.store.segments.segment import Segment
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.stored_rows import joined_metadata
from lokikit.store.segments.streams import Labels, Streams, sorted_labels
from lokikit.store.segments.upkeep import Upkeep

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher, Stage

_CHECK_ROWS = 500
_LOCK = "store.lock"


class Store(RowSource):
    """One folder of lines, opened by one process.

    Attributes:
        folder: where the lines are.
        settings: its sizes and times.
        counters: its counts since it was opened.
    """

    def __init__(
        self,
        folder: Path,
        settings: StoreSettings | None = None,
        *,
        opened: Callable[[Path], BinaryIO] = open_unbuffered,
        measure: Callable[[Path], int] = free_bytes,
    ) -> None:
        """Open the folder, created when absent; tests replace `opened` and `measure`."""
        self.folder, self.settings = folder.resolve(), settings or StoreSettings()
        self.counters = Counters()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(self.folder)
        try:
            check_format(self.folder)
            core = _core(self.folder, self.settings, self.counters, opened)
            guard = DiskGuard(self.folder, self.settings.min_free_bytes, measure)
            self._ingest = Ingest(core, guard, opened)
            replay_logs(core, self._ingest)
        except BaseException:
            self._lock.release()
            raise
        self._database, self._streams, self._catalogue = core.database, core.streams, core.catalogue
        self._upkeep = Upkeep(core, self._ingest)
        self._upkeep.start()

    @classmethod
    def open(cls, folder: Path, settings: StoreSettings | None = None) -> Store:
        """Open the folder, created when absent.

        Raises:
            PrerequisiteError: another process has it open, or a newer program wrote it.
        """
        return cls(folder, settings)

    def close(self) -> None:
        """End the background work and release the folder; the next start reads the logs."""
        self._upkeep.stop()
        self._ingest.close()
        self._streams.close()
        self._database.close()
        self._lock.release()

    def __enter__(self) -> Store:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Lines in.

    def push(self, batch: Sequence[PushedEntry]) -> None:
        """Return when the batch is on the disk, and visible to every query that begins later.

        Raises:
            PushError: nothing of it is acknowledged; the sender repeats the whole batch, and
                equal lines are stored once.
        """
        self._ingest.push(batch)

    def subscribe(self, callback: Callable[[list[PushedEntry]], None]) -> Callable[[], None]:
        """Call `callback` with the new lines of each batch, once they are on the disk.

        It is called by the thread that pushes, before that push returns, so it must be quick.

        Returns:
            A function that ends the subscription.
        """
        return self._ingest.subscribe(callback)

    def flush(self) -> None:
        """Return when all lines are in segments."""
        self._upkeep.seal()
        self._ingest.rotate()
        self._upkeep.seal()

    def maintain(self) -> None:
        """Seal, delete and merge now what the background work would do soon."""
        self._upkeep.maintain()

    # Lines out.

    def cursor(self) -> Cursor:
        """A DuckDB connection of its own, for one thread, over the relations of this store."""
        return self._database.cursor()

    def relations(self, start_ns: int, end_ns: int) -> list[Part]:
        """The parts that may have lines from `start_ns` on before `end_ns`.

        Together they hold each line that was pushed before exactly once. A file or table lives
        for as long as its `Part` is referenced. Lines older than the retention may still be in
        there: see `oldest_kept_ns`.
        """
        segments, heads = self._catalogue.holdings
        touched = [
            segment
            for segment in segments
            if segment.name.min_ns < end_ns and segment.name.max_ns >= start_ns
        ]
        parts = [segment.part() for segment in self._catalogue.intact(touched)]
        parts += [
            head.part()
            for head in heads
            if head.rows and head.min_ns < end_ns and head.max_ns >= start_ns
        ]
        return parts

    def oldest_kept_ns(self) -> int:
        """Time before which lines count as deleted."""
        return self.settings.oldest_kept_ns()

    def stream_numbers(self, matchers: Sequence[Matcher]) -> dict[int, Mapping[str, str]]:
        """Number -> labels of the streams that fulfil the matchers: the column `stream`."""
        return {n: one for n, one in self._streams.all().items() if selects(matchers, one)}

    def streams(
        self, matchers: Sequence[Matcher], start_ns: int, end_ns: int
    ) -> list[Mapping[str, str]]:
        """Labels of each selected stream that may have a line in that span."""
        present: set[int] = set()
        segments, heads = self._catalogue.holdings
        start_ns = max(start_ns, self.oldest_kept_ns())
        for segment in segments:
            for number, one in segment.summary.streams.items():
                if one.min_ns < end_ns and one.max_ns >= start_ns:
                    present.add(number)
        for head in heads:
            present |= head.streams_within(start_ns, end_ns)
        return [one for n, one in self.stream_numbers(matchers).items() if n in present]

    def rows(  # noqa: PLR0913 - all but the first three by keyword
        self,
        matchers: Sequence[Matcher],
        start_ns: int,
        end_ns: int,
        *,
        direction: Direction = "forward",
        prefilter: Sequence[Stage] = (),
        check: Callable[[], None] = lambda: None,
    ) -> Iterator[Row]:
        """The rows of the selected streams, as `RowSource` defines them.

        The call, not the first row taken, decides which rows are visible.
        """
        from lokikit.store.sql.entries import row_condition  # noqa: PLC0415 - pushes start without

        labels = self.stream_numbers(matchers)
        start_ns = max(start_ns, self.oldest_kept_ns())
        parts = [p for p in self.relations(start_ns, end_ns) if not p.streams.isdisjoint(labels)]
        condition = row_condition(prefilter, labels)
        if not all(part.streams <= labels.keys() for part in parts):
            condition = f"stream IN ({', '.join(map(str, labels))}) AND {condition}"
        selection = RowSelection(start_ns, end_ns, condition, direction, check)
        return self._read(parts, selection, labels)

    def _read(
        self, parts: list[Part], selection: RowSelection, labels: Mapping[int, Mapping[str, str]]
    ) -> Iterator[Row]:
        found = scan_parts(self.cursor, parts, selection)
        for count, (ts, stream, line, meta, level) in enumerate(found):
            if count % _CHECK_ROWS == 0:
                selection.check()
            yield Row(ts, labels[stream], joined_metadata(meta, level), line)

    def volume(
        self, matchers: Sequence[Matcher], start_ns: int, end_ns: int
    ) -> dict[Labels, tuple[int, int]]:
        """Bytes and lines of each selected stream from `start_ns` on before `end_ns`."""
        labels = self.stream_numbers(matchers)
        start_ns = max(start_ns, self.oldest_kept_ns())
        totals: dict[int, tuple[int, int]] = {}
        for part in self.relations(start_ns, end_ns):
            for number, size, rows in self._part_volume(part, start_ns, end_ns):
                if number in labels:
                    before = totals.get(number, (0, 0))
                    totals[number] = (before[0] + size, before[1] + rows)
        return {sorted_labels(labels[number]): total for number, total in totals.items()}

    def _part_volume(self, part: Part, start_ns: int, end_ns: int) -> list[tuple[int, int, int]]:
        is_whole = start_ns <= part.min_ns and part.max_ns < end_ns
        if is_whole and isinstance(part.pin, Segment):
            return [(n, one.line_bytes, one.rows) for n, one in part.pin.summary.streams.items()]
        query = (
            f"SELECT stream, sum({LINE_BYTES})::BIGINT, count(*) FROM {part.relation} "
            "WHERE ts >= ? AND ts < ? GROUP BY stream"
        )
        return self.cursor().execute(query, [start_ns, end_ns]).fetchall()

    def metrics(self) -> dict[str, int]:
        """Counts since the opening, and what there is now."""
        segments, heads = self._catalogue.holdings
        return {
            "streams": len(self._streams),
            "segments": len(segments),
            "segment_bytes": sum(segment.summary.size for segment in segments),
            "sealed_rows": sum(segment.summary.rows for segment in segments),
            "unsealed_rows": sum(head.rows for head in heads),
            **self.counters.snapshot(),
        }

    def notices(self) -> list[str]:
        """Messages for the operator: damaged files, work that failed; the newest last."""
        return list(self.counters.notices)


def _core(
    folder: Path, settings: StoreSettings, counters: Counters, opened: Callable[[Path], BinaryIO]
) -> Core:
    remove_old_snapshots(folder)
    scratch = _empty_scratch(folder)
    database = open_database(folder, scratch, settings)
    streams = Streams(folder, opened)
    catalogue = Catalogue(folder, counters)
    catalogue.load(database, streams)
    return Core(folder, settings, counters, database, streams, catalogue, Waste())


def _empty_scratch(folder: Path) -> Path:
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    remove_files([path for path in scratch.iterdir() if path.is_file()])
    return scratch


def _locked(folder: Path) -> FileLock:
    # Whichever thread closes the store releases it.
    lock = FileLock(folder / _LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise PrerequisiteError(
            f"another process has the store in {folder} open: stop it, or take another folder"
        ) from error
    return lock
