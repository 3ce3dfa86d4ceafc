"""The syntax tree of LogQL expressions: one frozen class for each construct of the grammar.

`pipeline_syntax` has the stages of a log pipeline. Times are in nanoseconds.
`printer.print_query` writes a tree back as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import LabelFilter, Matcher, Stage

SUMMABLE = frozenset({"count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time"})
"""Range aggregations whose `sum` is the same aggregation over coarser series."""


@dataclass(frozen=True)
class LogExpression:
    """`{a="b"} |= "x" | json`: a selector and its pipeline."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True)
class Unwrap:
    """`| unwrap label`, with `duration`, `duration_seconds` or `bytes` around the label.

    `filters` are the label filters behind it.
    """

    label: str
    conversion: Literal["", "duration", "duration_seconds", "bytes"] = ""
    filters: tuple[LabelFilter, ...] = ()


@dataclass(frozen=True)
class LogRange:
    """`{…} | … [5m] offset 1m`."""

    query: LogExpression
    range_ns: int
    offset_ns: int = 0
    unwrap: Unwrap | None = None


@dataclass(frozen=True)
class Grouping:
    """`by (a, b)` or `without (a, b)`."""

    labels: tuple[str, ...]
    without: bool = False


@dataclass(frozen=True)
class RangeAggregation:
    """`count_over_time(…)`, `quantile_over_time(0.9, …) by (a)`."""

    op: str
    log_range: LogRange
    parameter: float | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True)
class VectorAggregation:
    """`sum by (a) (…)`, `topk(5, …)`."""

    op: str
    operand: SampleExpression
    parameter: float | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True)
class VectorMatching:
    """`on (a)`, `ignoring (a)`, with `group_left (b)` or `group_right (b)`."""

    labels: tuple[str, ...] = ()
    on: bool = False
    group: Literal["", "left", "right"] = ""
    include: tuple[str, ...] = ()


@dataclass(frozen=True)
class BinaryOperation:
    """`a + b`, `a > bool b`, `a and on (x) b`."""

    op: str
    left: SampleExpression
    right: SampleExpression
    return_bool: bool = False
    matching: VectorMatching | None = None


@dataclass(frozen=True)
class Number:
    """A scalar."""

    value: float


@dataclass(frozen=True)
class VectorFunction:
    """`vector(1)`."""

    value: float


@dataclass(frozen=True)
class LabelReplace:
    """`label_replace(v, "dst", "$1", "src", "re")`."""

    operand: SampleExpression
    target: str
    replacement: str
    source: str
    pattern: str


SampleExpression = (
    RangeAggregation | VectorAggregation | BinaryOperation | Number | VectorFunction | LabelReplace
)
Expression = LogExpression | SampleExpression
