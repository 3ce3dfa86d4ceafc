"""Random trees of queries, for hypothesis."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from lokikit.store.logql.lexer import KEYWORDS
from lokikit.store.logql.pipeline_syntax import (
    AndFilter,
    BytesFilter,
    Decolorize,
    DropLabels,
    DurationFilter,
    Extraction,
    IpFilter,
    JsonParser,
    KeepLabels,
    LabelAssignment,
    LabelFilterStage,
    LabelFormat,
    LineFilter,
    LineFormat,
    LineText,
    LogfmtParser,
    Matcher,
    NumberFilter,
    OrFilter,
    PatternParser,
    RegexpParser,
    Stage,
    StringFilter,
    UnpackParser,
)
from lokikit.store.logql.syntax import (
    BinaryOperation,
    Grouping,
    LabelReplace,
    LogExpression,
    LogRange,
    Number,
    RangeAggregation,
    Unwrap,
    VectorAggregation,
    VectorFunction,
    VectorMatching,
)

MAX_NS = (1 << 63) - 1
COMPARISONS = ("==", "!=", ">", ">=", "<", "<=")
UNGROUPED = ("sum_over_time", "rate_counter", "absent_over_time", "rate")
GROUPED = (
    "avg_over_time",
    "max_over_time",
    "min_over_time",
    "first_over_time",
    "last_over_time",
    "stdvar_over_time",
    "stddev_over_time",
)
COUNTED = ("count_over_time", "rate", "bytes_rate", "bytes_over_time", "absent_over_time")

names = (
    st.sampled_from(("a", "level", "_x", "A9", "rate", "sum", "ip", "duration", "bytes", "é"))
    | st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
).filter(lambda name: name.lower() not in KEYWORDS)
texts = st.sampled_from(
    ('"', "\\", "`", "\n\t", "é😀", "\x00\x7f", "\udcff", "a b", "#")
) | st.text(max_size=30)
regexes = st.sampled_from((".+", "a|b", r"\d+", "(?i)x", "[^a]", ""))
numbers = st.floats(allow_nan=False, allow_infinity=False)
positive = numbers.map(abs)


def tuples(items: st.SearchStrategy, **sizes: int) -> st.SearchStrategy:
    """Short tuples of the items."""
    return st.lists(items, **{"max_size": 3, **sizes}).map(tuple)


matchers = st.builds(Matcher, names, st.sampled_from(("=", "!=")), texts) | st.builds(
    Matcher, names, st.sampled_from(("=~", "!~")), regexes
)
selectors = tuples(matchers).map(lambda some: (Matcher("a", "=", "b"), *some))
comparisons = st.sampled_from(COMPARISONS)
leaves = (
    st.builds(StringFilter, matchers)
    | st.builds(NumberFilter, names, comparisons, numbers)
    | st.builds(DurationFilter, names, comparisons, st.integers(-MAX_NS, MAX_NS))
    | st.builds(BytesFilter, names, comparisons, st.integers(0, 1 << 53))
    | st.builds(IpFilter, names, st.sampled_from(("=", "!=")), texts)
)
label_filters = st.recursive(
    leaves,
    lambda inner: st.builds(AndFilter, inner, inner) | st.builds(OrFilter, inner, inner),
    max_leaves=6,
)
operands = st.builds(LineText, texts, st.booleans())
line_filters = (
    st.builds(LineFilter, st.sampled_from(("|=", "|>")), tuples(operands, min_size=1))
    | st.builds(LineFilter, st.sampled_from(("!=", "!>")), tuples(operands, min_size=1, max_size=1))
    | st.builds(LineFilter, st.just("|~"), tuples(st.builds(LineText, regexes), min_size=1))
)
extractions = tuples(st.builds(Extraction, names, texts))
assignments = st.builds(LabelAssignment, names, texts, st.just(True)) | st.builds(
    LabelAssignment, names, names, st.just(False)
)
kept = tuples(names | matchers, min_size=1)
stages = (
    line_filters
    | st.builds(JsonParser, extractions)
    | st.builds(LogfmtParser, extractions, st.booleans(), st.booleans())
    | st.builds(RegexpParser, st.sampled_from((r"(?P<x>\d+)", '(?P<a>.) "(?P<b>.*)"')))
    | st.builds(PatternParser, st.sampled_from(("<a> <b>", 'x="<_>" <a>')))
    | st.builds(UnpackParser)
    | st.builds(Decolorize)
    | st.builds(LineFormat, texts)
    | st.builds(LabelFormat, tuples(assignments, min_size=1))
    | st.builds(DropLabels, kept)
    | st.builds(KeepLabels, kept)
    | st.builds(LabelFilterStage, label_filters)
)


def _is_expressible(pipeline: tuple[Stage, ...]) -> bool:
    """False for a line filter that would be read as the end of a `drop a` in front of it."""
    return not any(
        isinstance(first, (DropLabels, KeepLabels))
        and isinstance(first.items[-1], str)
        and isinstance(second, LineFilter)
        and second.op in {"!=", "!~"}
        for first, second in pairwise(pipeline)
    )


log_queries = st.builds(
    LogExpression, selectors, tuples(stages, max_size=5).filter(_is_expressible)
)
unwraps = st.builds(
    Unwrap,
    names,
    st.sampled_from(("", "duration", "duration_seconds", "bytes")),
    tuples(label_filters),
)
ranges_ns = st.integers(0, MAX_NS // 1_000_000).map(lambda value_ms: value_ms * 1_000_000)
offsets_ns = (
    st.just(0)
    | st.integers(-MAX_NS, MAX_NS)
    | st.integers(-9, 9).map(lambda days: days * 86_400_000_000_000)
)
counted = st.builds(LogRange, log_queries, ranges_ns, offsets_ns)
unwrapped = st.builds(LogRange, log_queries, ranges_ns, offsets_ns, unwraps)
groupings = st.none() | st.builds(Grouping, tuples(names), st.booleans())
wide_groupings = groupings.map(
    lambda grouping: grouping if grouping and (grouping.labels or grouping.without) else None
)
range_aggregations = (
    st.builds(RangeAggregation, st.sampled_from(COUNTED), counted)
    | st.builds(RangeAggregation, st.sampled_from(UNGROUPED), unwrapped)
    | st.builds(RangeAggregation, st.sampled_from(GROUPED), unwrapped, st.none(), groupings)
    | st.builds(RangeAggregation, st.just("quantile_over_time"), unwrapped, positive, groupings)
)
matchings = (
    st.none()
    | st.builds(VectorMatching, tuples(names), st.just(True))
    | st.builds(VectorMatching, tuples(names, min_size=1))
    | st.builds(
        VectorMatching,
        tuples(names),
        st.booleans(),
        st.sampled_from(("left", "right")),
        tuples(names),
    )
)
vectors = range_aggregations | st.builds(VectorFunction, positive)


def _larger(inner: st.SearchStrategy) -> st.SearchStrategy:
    either_side = st.tuples(inner, inner) | st.tuples(inner, st.builds(Number, numbers))
    operators = st.sampled_from((*COMPARISONS, "+", "-", "*", "/", "%", "^"))
    return (
        st.builds(
            VectorAggregation,
            st.sampled_from(("sum", "avg", "min", "max", "count", "stddev", "stdvar")),
            inner,
            st.none(),
            wide_groupings,
        )
        | st.builds(
            VectorAggregation,
            st.sampled_from(("topk", "bottomk")),
            inner,
            st.integers(1, 10**6).map(float),
            wide_groupings,
        )
        | st.builds(VectorAggregation, st.sampled_from(("sort", "sort_desc")), inner)
        | st.builds(
            BinaryOperation,
            st.sampled_from(("and", "or", "unless")),
            inner,
            inner,
            st.booleans(),
            matchings,
        )
        | st.builds(
            lambda op, sides, returns_bool, matching: BinaryOperation(
                op, *sides, returns_bool, matching
            ),
            operators,
            either_side | either_side.map(lambda sides: sides[::-1]),
            st.booleans(),
            matchings,
        )
        | st.builds(LabelReplace, inner, texts, texts, texts, regexes)
    )


samples = st.builds(Number, numbers) | st.recursive(vectors, _larger, max_leaves=5)
expressions = log_queries | samples
