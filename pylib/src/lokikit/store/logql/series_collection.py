"""Vectors of steps into series, and series into vectors of steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lokikit.store.errors import LimitError
from lokikit.store.logql.series import Series, Steps
from lokikit.store.logql.vectors import LabelSet, Vector, label_set

MAX_VALUES = 20_000_000
"""Series times steps of one answer: 160 MB of references."""


def collect_series(vectors: Iterable[Vector], steps: Steps) -> list[Series]:
    """The series of the vectors of all steps, in the order of their first sample.

    Equal label sets within a step, which `label_replace` can make, become series of their own.

    Raises:
        LimitError: the series have too many values together.
    """
    values: dict[tuple[LabelSet, int], list[float | None]] = {}
    count = steps.count
    for step, vector in enumerate(vectors):
        for key, value in _numbered(vector):
            found = values.get(key)
            if found is None:
                if (len(values) + 1) * count > MAX_VALUES:
                    raise LimitError(
                        f"the answer would hold more than {MAX_VALUES} values; "
                        "use a larger step or aggregate the series"
                    )
                found = values[key] = [None] * count
            found[step] = value
    return [Series(dict(labels), found) for (labels, _number), found in values.items()]


def _numbered(vector: Vector) -> Iterator[tuple[tuple[LabelSet, int], float]]:
    """The samples with their label sets; equal label sets are numbered."""
    counts: dict[LabelSet, int] = {}
    for labels, value in vector:
        number = counts.get(labels, 0)
        counts[labels] = number + 1
        yield (labels, number), value


def series_vectors(series: Sequence[Series], steps: Steps) -> Iterator[Vector]:
    """One vector for each step of the series."""
    columns = [(label_set(one.labels), one.values) for one in series]
    for step in range(steps.count):
        yield [(labels, value) for labels, values in columns if (value := values[step]) is not None]
