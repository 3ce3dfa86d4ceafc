"""The reduction of the values of a range query, in an alert rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import fsum, isnan
from statistics import median

_REDUCED: Mapping[str, Callable[[Sequence[float]], float]] = {
    "last": lambda values: values[-1],
    "mean": lambda values: fsum(values) / len(values),
    "min": min,
    "max": max,
    "sum": fsum,
    "count": lambda values: float(len(values)),
    "median": median,
}


def reduce_values(values: Sequence[float], reducer: str) -> float:
    """Return the reduction of at least one value; in Grafana's strict mode a NaN makes it NaN.

    Args:
        values: in the order of their times.
        reducer: `last`, `mean`, `min`, `max`, `sum`, `count` or `median`.
    """
    return float("nan") if any(map(isnan, values)) else _REDUCED[reducer](values)
