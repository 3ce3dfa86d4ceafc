"""Queries of many shapes over the nasty lines, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

_SELECTORS = ('{service_name=~".+"}', '{env="prod"}', '{service_name=~"api|plain"}', '{env!=""}')
_NAMES = (
    "service_name",
    "cluster",
    "detected_level",
    "request_id",
    "host",
    "level",
    "http_status",
    "http_method",
    "duration_ms",
    "exc_type",
    "task_name",
    "order_id",
    "order_total",
    "price",
    "paid",
    "tags",
    "missing",
    "__error__",
)
_VALUES = ("", "200", "error", "r-1", "GET", "ValueError", "true", "1.5", "77", "mail", "no 'q'")
_PATTERNS = (".*", ".+", "2..", "error|critical", "(?i)VALUE.*", "a|", "[^x]*", "mail|b.l")
_TEXTS = (
    '"http_status"',
    '"exc_type"',
    "error",
    "",
    "order",
    "'",
    "plain|text",
    r"^\s*\{",
    "one.two",
    "(?i)ERROR",
    "ümläut",
    "200|404",
)
_HOT = ("http_status", "duration_ms", "exc_type", "task_name", "runtime_s", "canary_lost")
_COLD = ("order_id", "price", "paid", "level", "request_id", "order", "tags", "service_name")

names = st.sampled_from(_NAMES)


def _quoted(text: str) -> str:
    return f"`{text}`"


_line_filters = st.builds(
    lambda op, texts: f"{op} {' or '.join(map(_quoted, texts))}",
    st.sampled_from(("|=", "!=", "|~", "!~")),
    st.lists(st.sampled_from(_TEXTS), min_size=1, max_size=2),
)
_string_filters = st.one_of(
    st.builds("{}{}`{}`".format, names, st.sampled_from(("=", "!=")), st.sampled_from(_VALUES)),
    st.builds("{}{}`{}`".format, names, st.sampled_from(("=~", "!~")), st.sampled_from(_PATTERNS)),
)
_number_filters = st.builds(
    "{}{}{}".format,
    st.sampled_from(("http_status", "duration_ms", "order_id", "missing")),
    st.sampled_from((">", ">=", "<", "<=", "==", "!=")),
    st.sampled_from(("200", "0.5", "1e3")),
)
_filters = st.one_of(_string_filters, _string_filters, _number_filters)
_label_filters = st.one_of(
    _filters,
    st.builds("{} {} {}".format, _filters, st.sampled_from(("and", "or")), _filters),
)
_json = st.one_of(
    st.just("| json"),
    st.lists(st.sampled_from((*_HOT, *_COLD)), min_size=1, max_size=3, unique=True).map(
        lambda fields: "| json " + ", ".join(fields)
    ),
    st.sampled_from(('| json x="http_status"', '| json x="order.id"', '| json x="missing"')),
)
_changes = st.sampled_from(
    (
        "| line_format `{{.http_status}} x`",
        "| drop http_status",
        "| drop service_name, level",
        "| keep service_name, http_status",
        "| drop level=`info`",
        "| decolorize",
        "| label_format y=http_status",
        "| logfmt",
    )
)
_stages = st.one_of(
    _line_filters,
    _json,
    _label_filters.map("| {}".format),
    _label_filters.map("| {}".format),
    _json,
    _changes,
)
selectors = st.sampled_from(_SELECTORS)
pipelines = st.lists(_stages, max_size=4).map(" ".join)
_by = st.lists(names, max_size=3, unique=True).map(lambda found: f"by ({', '.join(found)})")
_ranges = st.sampled_from(("[20s]", "[45s]", "[1m] offset 10s", "[5m]", "[7s]"))
_unwraps = st.builds(
    "{} | unwrap {}{}".format,
    st.sampled_from(("| json", "| json duration_ms, http_status", "")),
    st.sampled_from(("duration_ms", "http_status", "runtime_s", "order_id", "missing")),
    st.sampled_from(("", ' | __error__=""', ' | __error__="" | http_status!="500"')),
)
_counts = st.builds(
    "{}({} {} {})".format,
    st.sampled_from(("count_over_time", "rate", "bytes_over_time", "bytes_rate")),
    selectors,
    pipelines,
    _ranges,
)


def _unwrapped(ops: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.builds(
        "{}{} {} {} {})".format, st.sampled_from(ops), selectors, pipelines, _unwraps, _ranges
    )


_grouped = (
    "quantile_over_time(0.9, ",
    "avg_over_time(",
    "min_over_time(",
    "max_over_time(",
    "stddev_over_time(",
    "first_over_time(",
    "last_over_time(",
)
_summed = ("sum_over_time(", "rate(", "rate_counter(")


def metric_queries() -> st.SearchStrategy[str]:
    """Metric queries, in text."""
    return st.one_of(
        _counts,
        st.builds("sum {} ({})".format, _by, _counts),
        st.builds("sum({})".format, _counts),
        st.builds("{} {}".format, _unwrapped(_grouped), _by),
        st.builds("sum {} ({})".format, _by, _unwrapped(_summed)),
        st.builds("max {} ({})".format, _by, _unwrapped(("max_over_time(",))),
    )


def log_queries() -> st.SearchStrategy[str]:
    """Log queries, in text."""
    return st.builds("{} {}".format, selectors, pipelines)
