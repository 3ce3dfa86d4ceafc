"""`logs(service="api").where(level="error").since("1h").all()`: queries without LogQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from lokikit.errors import SettingsError
from lokikit.query.line_conditions import (
    HAS_NONE_REPLACED,
    HAS_REPLACED,
    LABEL_OF,
    LineCondition,
    Precision,
    containing,
    field_is,
    json_expression,
    quoted,
    selector,
)
from lokikit.query.tables import to_arrow, to_pandas
from lokikit.times import NS_PER_MS, Moment, moment_ns, whole_number

if TYPE_CHECKING:
    from lokikit.query.client import Loki
    from lokikit.query.paging import Direction
    from lokikit.query.results import LogEntry

Span = tuple[int, int]

_ERRORS = ("__error__", "__error_details__")
"""Label that Loki sets on lines that are no JSON, and refuses to count."""


@dataclass(frozen=True)
class LogQuery:
    """A query for lines of streams; each method that filters returns a new query.

    Made by `Loki.logs` or `lokikit.logs`. Loki is queried by `all`, `iter`, `first` and `count`;
    these raise as `Loki` does.
    """

    _client: Loki
    _selector: str
    _conditions: tuple[LineCondition, ...] = ()
    _since: Moment = "1h"
    _until: Moment = "now"
    _limit: int | None = None
    _direction: Direction = "backward"

    @classmethod
    def of(cls, client: Loki, **labels: str) -> LogQuery:
        """Return a query for the lines of the streams with these labels.

        Raises:
            SettingsError: a label cannot have such a name.
        """
        return cls(
            client, selector({LABEL_OF.get(name, name): value for name, value in labels.items()})
        )

    def where(self, **fields: Any) -> LogQuery:
        """Keep lines whose fields have all of these values.

        A list, tuple or set means any of its values; `None` an absent field. Values are compared
        as JSON writes them, so `500` finds the text `"500"` too. `level` is the level that Loki
        detected, if it is a level of Loki, so that lines of other programs are found; `service` and
        `env` are the labels; `pod`, `container`, `node` and `stream` may be metadata.

        Raises:
            SettingsError: a value is a mapping, or a list is empty.
        """
        return self._with(*(field_is(name, value) for name, value in fields.items()))

    def contains(self, text: str) -> LogQuery:
        """Keep lines that hold `text`, as it is or as JSON writes it; case matters."""
        return self._with(containing(text))

    def since(self, moment: Moment) -> LogQuery:
        """Keep lines from `moment` on, by default an hour ago: `"30m"`, a date, a `datetime`.

        Raises:
            SettingsError: `moment` is no time.
        """
        moment_ns(moment, "since", 0)
        return replace(self, _since=moment)

    def until(self, moment: Moment) -> LogQuery:
        """Keep lines before `moment`.

        Raises:
            SettingsError: `moment` is no time.
        """
        moment_ns(moment, "until", 0)
        return replace(self, _until=moment)

    def limit(self, count: int) -> LogQuery:
        """Keep the first `count` lines: the newest, or with `oldest_first` the oldest.

        Raises:
            SettingsError: `count` is negative, or no whole number.
        """
        number = whole_number(count)
        if number is None or number < 0:
            raise SettingsError(f"limit({count!r}) is no number of lines: use 0 or more.")
        return replace(self, _limit=number)

    def oldest_first(self) -> LogQuery:
        """Order by time; without it the newest lines come first."""
        return replace(self, _direction="forward")

    def all(self) -> list[LogEntry]:
        """Return all lines, in memory."""
        return list(self.iter())

    def iter(self) -> Iterator[LogEntry]:
        """Yield the lines, fetched page by page as they are taken."""
        return islice(self._found(self.query, self._span()), self._limit)

    def first(self) -> LogEntry | None:
        """Return the first line, `None` without lines."""
        return next(self.limit(1 if self._limit is None else min(1, self._limit)).iter(), None)

    def to_arrow(self) -> Any:
        """Return all lines as a `pyarrow.Table`: a row for each line, columns as in `tables`.

        Raises:
            PrerequisiteError: pyarrow is not installed.
        """
        return to_arrow(self.iter())

    def to_pandas(self) -> Any:
        """Return all lines as a `pandas.DataFrame`, with the same columns.

        Raises:
            PrerequisiteError: pandas is not installed.
        """
        return to_pandas(self.iter())

    def count(self) -> int:
        """Return the number of lines, up to the limit; Loki counts where that is exact."""
        span, precision = self._span(), self._precision
        if precision is Precision.TOO_MUCH:
            return _length(self.iter())
        if precision is Precision.EXACT:
            found = self._counted(self.query, span)
        else:
            unsure = self._found(f"{self.query} {HAS_REPLACED}", span)
            found = self._counted(f"{self.query} {HAS_NONE_REPLACED}", span) + _length(unsure)
        return found if self._limit is None else min(found, self._limit)

    @property
    def query(self) -> str:
        """Return the LogQL of the query."""
        named = [
            (f"lokikit_{number}", condition) for number, condition in enumerate(self._conditions)
        ]
        keys = {name: condition.key for name, condition in named if condition.key}
        read = [f"{name}={quoted(json_expression(key))}" for name, key in keys.items()]
        parts = [
            self._selector,
            *(condition.line_filter for condition in self._conditions),
            f"| json {', '.join(read)}" if keys else "",
            *(
                f"| {condition.label_filter(name)}"
                for name, condition in named
                if condition.label_filter
            ),
            f"| drop {', '.join([*keys, *_ERRORS])}" if keys else "",
        ]
        return " ".join(filter(None, parts))

    @property
    def _precision(self) -> Precision:
        return max((condition.precision for condition in self._conditions), default=Precision.EXACT)

    def _with(self, *conditions: LineCondition) -> LogQuery:
        return replace(self, _conditions=(*self._conditions, *conditions))

    def _span(self) -> tuple[int, int]:
        now_ns = time.time_ns()
        since_ns = moment_ns(self._since, "since", now_ns)
        return since_ns, moment_ns(self._until, "until", now_ns)

    def _found(self, query: str, span: Span) -> Iterator[LogEntry]:
        """Yield the entries of `query`, which may be narrower than this query's own."""
        exact = self._precision is Precision.EXACT
        limit = self._limit if exact else None
        entries = self._client.query_range(query, *span, limit, self._direction)
        if exact:
            return entries
        return (entry for entry in entries if all(each.holds(entry) for each in self._conditions))

    def _counted(self, query: str, span: Span) -> int:
        """Count: whole milliseconds by Loki, the rest by reading it."""
        start_ns, end_ns = span
        first_ns = -(-start_ns // NS_PER_MS) * NS_PER_MS
        last_ns = end_ns // NS_PER_MS * NS_PER_MS
        if first_ns >= last_ns:
            return _length(self._client.query_range(query, *span))
        # A range excludes its start, and includes the moment of the query.
        metric = f"sum(count_over_time({query} [{(last_ns - first_ns) // NS_PER_MS}ms]))"
        counted = sum(int(sample.value) for sample in self._client.instant(metric, last_ns - 1))
        edges = ((start_ns, first_ns), (last_ns, end_ns))
        return counted + sum(_length(self._client.query_range(query, *edge)) for edge in edges)


def _length(entries: Iterator[LogEntry]) -> int:
    return sum(1 for _ in entries)
