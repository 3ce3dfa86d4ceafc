"""The leaves of metric queries, answered by SQL where the evaluator would answer the same.

SQL filters, groups and aggregates the plain rows of each part into bins; hard rows go through
the evaluator's own pipeline into the same bins; bins become windows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from lokikit.store.errors import LimitError, QueryError
from lokikit.store.logql.sample_extraction import SampleExtractor
from lokikit.store.logql.series import SampleRequest, Series
from lokikit.store.logql.syntax import Grouping
from lokikit.store.logql.vectors import LabelSet, group_filter
from lokikit.store.rows import Row
from lokikit.store.segments.database import Cursor, DatabaseError
from lokikit.store.segments.stored_rows import joined_metadata
from lokikit.store.sql.accumulators import Accumulator, accumulator_type
from lokikit.store.sql.bins import Bins
from lokikit.store.sql.conditions import Conditions
from lokikit.store.sql.engine import SqlStore, fetched, stoppable
from lokikit.store.sql.grouping import chosen_groups
from lokikit.store.sql.names import Names, RowTraits, StreamLabels
from lokikit.store.sql.part_facts import PartFacts
from lokikit.store.sql.predicates import NotProvenError, all_of
from lokikit.store.sql.unwrapping import add_unwrap

if TYPE_CHECKING:
    from lokikit.store.segments.schema import Part

_logger = logging.getLogger(__name__)
_MAX_BATCH_ROWS = 1_000_000
"""Rows of the parts that are read by one statement, so that its memory stays bounded."""
_COMMON_ROWS = RowTraits(metadata=frozenset())
"""Traits to find out what to ask of parts: metadata seldom has the name of a field."""
_MAX_SERIES = 100_000
_MAX_POINTS = 10_000_000
"""Series of a leaf, and points of all of them: more would not fit into a small memory."""
_ROWS_BETWEEN_CHECKS = 512


class SqlSampler:
    """The fast path for metric queries; implements `Sampler`.

    Args:
        store: has the rows.
        check: raises when the query has to stop; it is called from other threads, too.
        facts: of the store's parts; keep one object as long as the store is open.
    """

    def __init__(
        self,
        store: SqlStore,
        check: Callable[[], None] = lambda: None,
        facts: PartFacts | None = None,
    ) -> None:
        self._store, self._check = store, check
        self._facts = PartFacts() if facts is None else facts

    def sample(self, request: SampleRequest) -> list[Series] | None:
        """The series, or None where SQL is not known to give the evaluator's answer.

        Which line's error a query is answered with depends on the order of the lines, so that
        errors are left to the evaluator.

        Raises:
            LimitError: more series than a small memory holds.
        """
        try:
            return self._sample(request)
        except LimitError:
            raise
        except (NotProvenError, QueryError):
            return None
        except DatabaseError as error:
            _logger.warning("DuckDB did not answer a query, so Python does: %s", error)
            return None

    def _sample(self, request: SampleRequest) -> list[Series]:
        self._check()
        log_range = request.aggregation.log_range
        bins = Bins.of(request.steps, log_range.range_ns, log_range.offset_ns)
        labels = self._store.stream_numbers(log_range.query.matchers)
        if not labels and request.aggregation.op != "absent_over_time":
            return []
        with closing(self._store.cursor()) as cursor, stoppable(cursor, self._check):
            kept_ns = max(self._store.oldest_kept_ns(), bins.after_ns + 1)
            found = _Leaf(request, bins, StreamLabels(labels), kept_ns, self._facts, self._check)
            parts = self._store.relations(kept_ns, bins.last_ns + 1)
            conditions, _ = found.conditions(_COMMON_ROWS)
            asked = conditions.numeric, conditions.keys()
            kinds: dict[RowTraits, list[Part]] = {}
            for part in parts:
                if not part.streams.isdisjoint(labels):
                    traits = self._facts.traits(cursor, part, *asked)
                    kinds.setdefault(traits, []).append(part)
            for traits, alike in kinds.items():
                while alike:
                    self._check()
                    found.read(cursor, _cut_batch(alike), traits)
            return found.series()


def _union(relations: Iterable[str]) -> str:
    """The rows of these relations, for FROM."""
    return "(" + " UNION ALL ".join(f"SELECT * FROM {one}" for one in relations) + ") r"


def _cut_batch(parts: list[Part]) -> list[Part]:
    """Remove some parts from the list and return them."""
    batch = [parts.pop()]
    while parts and sum(part.rows for part in batch) + parts[-1].rows <= _MAX_BATCH_ROWS:
        batch.append(parts.pop())
    return batch


def refuse_too_many(series: int, points: int) -> None:
    """Raise a LimitError for too many series, or too many points in all of them."""
    most = min(_MAX_SERIES, _MAX_POINTS // points)
    if series > most:
        raise LimitError(
            f"more than {most} series of {points} points in a part of a query; "
            "consider fewer labels, a shorter span of time or longer steps"
        )


class _Leaf:
    """One request on its way to its answer."""

    def __init__(  # noqa: PLR0913, PLR0917 - what one request is about, of one caller
        self,
        request: SampleRequest,
        bins: Bins,
        streams: StreamLabels,
        kept_ns: int,
        facts: PartFacts,
        check: Callable[[], None],
    ) -> None:
        aggregation, outer = request.aggregation, request.outer
        self._in_time = f"ts >= {kept_ns} AND {bins.condition()}"
        self._aggregation, self._bins, self._streams = aggregation, bins, streams
        self._new = accumulator_type(aggregation)
        self._shape = self._new(aggregation)
        self._groups = chosen_groups(request, streams)
        self._check, self._facts = check, facts
        summed_by = (outer.grouping or Grouping(())) if outer and outer.op == "sum" else None
        self._extract = SampleExtractor(aggregation, summed_by)
        self._group_of = group_filter(outer.grouping) if outer else lambda labels: labels
        self._found: dict[LabelSet, Accumulator] = {}

    def conditions(self, traits: RowTraits) -> tuple[Conditions, str]:
        """What the query demands of rows with these traits, and the SQL of a row's value."""
        log_range = self._aggregation.log_range
        conditions = Conditions(Names(self._streams, traits))
        conditions.add_all(log_range.query.stages)
        value = add_unwrap(conditions, log_range.unwrap)
        if "line" in " ".join(self._shape.columns) and not conditions.is_line_kept:
            raise NotProvenError("bytes of another line")
        return conditions, value

    def read(self, cursor: Cursor, parts: list[Part], traits: RowTraits) -> None:
        """Take in the rows of these parts, which have these traits."""
        conditions, value = self.conditions(traits)
        keys, hard = self._groups.expressions(conditions.names)
        conditions.hard.extend(hard)
        rows = _union(part.relation for part in parts)
        self._read_plain(cursor, rows, conditions, keys, value)
        if (where := conditions.for_hard()) != "FALSE":
            self._read_hard(cursor, rows, where)
        if (where := conditions.for_odd()) != "FALSE" and (
            odd := [one for part in parts if (one := self._facts.odd_rows(cursor, part))]
        ):
            self._read_hard(cursor, _union(odd), where)

    def _read_plain(
        self, cursor: Cursor, rows: str, conditions: Conditions, keys: list[str], value: str
    ) -> None:
        columns = [one.replace("value", value) for one in self._shape.columns]
        where = all_of([self._in_time, conditions.for_plain()])
        texts = [*keys, *columns, where]
        source = f"{rows} {self._groups.join(self._groups.reads(texts))}"
        query = (
            f"SELECT {', '.join([self._bins.sql(), *keys, *columns])} FROM {source} WHERE {where}"
        )
        if self._shape.is_grouped:
            count = range(1, len(keys) + 2)
            query += f" GROUP BY {', '.join(map(str, count))}"
        known: dict[tuple[Any, ...], Accumulator] = {}
        width = len(keys) + 1
        for bin_, *found in fetched(cursor, query):
            key = tuple(found[: width - 1])
            accumulator = known.get(key)
            if accumulator is None:
                accumulator = known[key] = self._accumulator(self._groups.labels(key))
            accumulator.merge(bin_, found[width - 1 :])

    def _read_hard(self, cursor: Cursor, rows: str, where: str) -> None:
        """Take in rows by way of the evaluator's pipeline."""
        join = self._groups.join(self._groups.reads([where]))
        condition = all_of([self._in_time, where])
        query = f"SELECT ts, stream, line, meta, level FROM {rows} {join} WHERE {condition}"
        for number, (time_ns, stream, line, meta, level) in enumerate(fetched(cursor, query)):
            if number % _ROWS_BETWEEN_CHECKS == 0:
                self._check()
            bin_ = self._bins.bin(time_ns)
            row = Row(time_ns, self._streams.labels[stream], joined_metadata(meta, level), line)
            sample = self._extract(row)
            if sample is not None and bin_ is not None:
                self._accumulator(self._group_of(sample[0])).add(bin_, time_ns, sample[1])

    def _accumulator(self, labels: LabelSet) -> Accumulator:
        found = self._found.get(labels)
        if found is None:
            refuse_too_many(len(self._found) + 1, self._bins.count)
            found = self._found[labels] = self._new(self._aggregation)
        return found

    def series(self) -> list[Series]:
        """The answer, ordered by labels."""
        return [
            Series(dict(labels), self._found[labels].values(self._bins))
            for labels in sorted(self._found)
        ]
