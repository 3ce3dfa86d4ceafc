"""The bounds of one query."""

from __future__ import annotations

from dataclasses import dataclass

from lokikit.store.errors import LimitError


@dataclass(frozen=True)
class Limits:
    """The bounds that the evaluator keeps; `lokikit.store.limits` reads them from loki.yaml.

    Args:
        max_series: series in the answer of a metrics query (`max_query_series`).
        max_points: points of one series; Loki has this bound in its code.
        max_entries: lines in the answer of a log query (`max_entries_limit_per_query`).
    """

    max_series: int = 20_000
    max_points: int = 11_000
    max_entries: int = 5000


DEFAULT = Limits()


def check_entries(limit: int, max_entries: int) -> None:
    """Return when a query may have `limit` lines.

    Raises:
        LimitError: the number is above `max_entries`.
    """
    if limit > max_entries:
        raise LimitError(
            "max entries limit per query exceeded, limit > max_entries_limit_per_query "
            f"({limit} > {max_entries})"
        )


def check_points(points: int, max_points: int) -> None:
    """Return when a series may have a point more than `points`, as Loki counts the steps.

    Raises:
        LimitError: the number is above `max_points`.
    """
    if points > max_points:
        raise LimitError(
            f"exceeded maximum resolution of {max_points:,} points per time series. "
            "Try increasing the value of the step parameter"
        )
