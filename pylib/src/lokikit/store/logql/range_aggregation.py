"""Range aggregations in Python: rows stream by, windows slide over their samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING

from lokikit.store.logql.range_functions import COUNTING, SUMMING, window_function
from lokikit.store.logql.sample_extraction import SampleExtractor
from lokikit.store.logql.windows import (
    CountWindow,
    SlidingCountWindow,
    SlidingWindow,
    SumWindow,
    Window,
)

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher
    from lokikit.store.logql.series import Steps
    from lokikit.store.logql.syntax import Grouping, RangeAggregation
    from lokikit.store.logql.vectors import LabelSet, Vector
    from lokikit.store.rows import Row, RowSource


class RangeReader:
    """Evaluates one range aggregation over the rows of a source.

    Args:
        source: holds the rows.
        aggregation: the range aggregation.
        steps: when to evaluate.
        summed_by: the grouping of a `sum` directly above that is applied here already.
        check: raises when the query has to stop.
    """

    def __init__(
        self,
        source: RowSource,
        aggregation: RangeAggregation,
        steps: Steps,
        *,
        summed_by: Grouping | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._source, self._check, self._steps = source, check, steps
        self._aggregation = aggregation
        self._range_ns = aggregation.log_range.range_ns
        self._offset_ns = aggregation.log_range.offset_ns
        self._extract = SampleExtractor(aggregation, summed_by)
        self._function = window_function(aggregation)
        self._window = _window_class(aggregation, steps)
        self._windows: dict[LabelSet, Window] = {}
        self._is_ordered = True

    def vectors(self) -> Iterator[Vector]:
        """One vector for each step, ordered by labels."""
        if self._aggregation.op == "absent_over_time":
            labels = _absent_labels(self._aggregation.log_range.query.matchers)
            return ([] if vector else [(labels, 1.0)] for vector in self._present())
        return self._present()

    def _present(self) -> Iterator[Vector]:
        ends_ns = [time_ns - self._offset_ns for time_ns in self._steps.times()]
        rows = self._rows(ends_ns[0] - self._range_ns + 1, ends_ns[-1] + 1)
        pending: Row | None = next(rows, None)
        for end_ns in ends_ns:
            start_ns = end_ns - self._range_ns
            self._move(start_ns)
            pending = self._take(pending, rows, start_ns, end_ns)
            self._check()
            yield self._vector(start_ns, end_ns)

    def _rows(self, start_ns: int, end_ns: int) -> Iterator[Row]:
        return iter(
            self._source.rows(
                self._aggregation.log_range.query.matchers,
                start_ns,
                end_ns,
                prefilter=self._extract.prefilter,
                check=self._check,
            )
        )

    def _take(
        self, pending: Row | None, rows: Iterator[Row], start_ns: int, end_ns: int
    ) -> Row | None:
        """Add the rows up to `end_ns` to their windows; return the first row behind."""
        windows, extract, window_class = self._windows, self._extract, self._window
        row = pending
        while row is not None:
            time_ns = row.timestamp_ns
            if time_ns > end_ns:
                return row
            sample = extract(row) if time_ns > start_ns else None
            if sample is not None:
                window = windows.get(sample[0])
                if window is None:
                    window = windows[sample[0]] = window_class()
                    self._is_ordered = False
                window.add(time_ns, sample[1])
            row = next(rows, None)
        return None

    def _move(self, start_ns: int) -> None:
        for labels, window in list(self._windows.items()):
            window.move(start_ns)
            if not len(window):
                del self._windows[labels]

    def _vector(self, start_ns: int, end_ns: int) -> Vector:
        function = self._function
        if not self._is_ordered:
            self._windows = dict(sorted(self._windows.items(), key=itemgetter(0)))
            self._is_ordered = True
        return [
            (labels, function(window, start_ns, end_ns)) for labels, window in self._windows.items()
        ]


def _window_class(aggregation: RangeAggregation, steps: Steps) -> type[Window]:
    """The cheapest window that holds what the function needs."""
    is_unwrapped = aggregation.log_range.unwrap is not None
    counts = aggregation.op in COUNTING and not (is_unwrapped and aggregation.op == "rate")
    if steps.count > 1 and steps.step_ns < aggregation.log_range.range_ns:
        return SlidingCountWindow if counts else SlidingWindow
    if counts:
        return CountWindow
    return SumWindow if aggregation.op in SUMMING else SlidingWindow


def _absent_labels(matchers: tuple[Matcher, ...]) -> LabelSet:
    """The labels that the matchers state with `=`, each name once."""
    names = [matcher.name for matcher in matchers]
    return tuple(
        sorted(
            (matcher.name, matcher.value)
            for matcher in matchers
            if matcher.op == "=" and matcher.value and names.count(matcher.name) == 1
        )
    )
