"""What one query may ask for at most."""

from __future__ import annotations

from dataclasses import dataclass


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
