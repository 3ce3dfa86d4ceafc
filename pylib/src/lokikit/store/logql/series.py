"""Question and answer of a metric query: steps, series, and the samplers behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lokikit.store.logql.syntax import RangeAggregation, VectorAggregation


@dataclass(frozen=True)
class Steps:
    """The moments at which a metric query is evaluated.

    Args:
        start_ns: the first moment.
        end_ns: the last moment may not lie behind this.
        step_ns: between two moments; 0 for an instant query, whose start is its end.
    """

    start_ns: int
    end_ns: int
    step_ns: int = 0

    @classmethod
    def instant(cls, time_ns: int) -> Steps:
        """The single moment of an instant query."""
        return cls(time_ns, time_ns, 0)

    @property
    def is_instant(self) -> bool:
        """True for the single moment of an instant query."""
        return self.step_ns == 0

    @property
    def count(self) -> int:
        """How many moments there are."""
        return (self.end_ns - self.start_ns) // self.step_ns + 1 if self.step_ns else 1

    def times(self) -> range:
        """The moments, oldest first, in nanoseconds since 1970."""
        step_ns = self.step_ns or 1
        return range(self.start_ns, self.start_ns + self.count * step_ns, step_ns)


@dataclass
class Series:
    """One series of an answer.

    Args:
        labels: unique among the series of the answer.
        values: one for each step; None where it has no sample.
    """

    labels: dict[str, str]
    values: list[float | None]


@dataclass(frozen=True)
class SampleRequest:
    """The leaf of a metric query, for a sampler.

    The window of the step at time t is (t - offset - range, t - offset].

    Args:
        aggregation: the range aggregation.
        outer: the vector aggregation directly above it, where there is one; the answer is
            then the result of that one.
        steps: when to evaluate.
    """

    aggregation: RangeAggregation
    outer: VectorAggregation | None
    steps: Steps


class Sampler(Protocol):
    """A fast path for the leaves of metric queries."""

    def sample(self, request: SampleRequest) -> list[Series] | None:
        """The series; None without an exact answer, so that the next sampler is tried."""


def align(start_ns: int, end_ns: int, step_ns: int) -> Steps:
    """The steps of a range query: the start floored, the end ceiled to multiples of the step."""
    return Steps(start_ns // step_ns * step_ns, -(-end_ns // step_ns) * step_ns, step_ns)
