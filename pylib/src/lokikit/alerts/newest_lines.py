"""The newest lines behind an alert."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lokikit.alerts.message import in_seconds
from lokikit.errors import LokikitError
from lokikit.fields import CLUSTER_LABELS, DETECTED_LEVEL, LABEL_ENV, LABEL_SERVICE
from lokikit.query.line_conditions import quoted
from lokikit.query.readable_logql import readable
from lokikit.times import NS_PER_S, parse_duration_ns

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Rule
    from lokikit.query.client import Loki

MOST = 5
_STREAM_LABELS = frozenset({LABEL_SERVICE, LABEL_ENV, *CLUSTER_LABELS})
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|#[^\n]*|[{\[]')
_UNWRAP = re.compile(r"\|\s*unwrap\b")
_WINDOW = re.compile(r"\[\s*((?:\d+[smhdw])+)\s*\]", re.ASCII)
_LEAST_WINDOW_NS = 3600 * NS_PER_S


def newest_lines(loki: Loki, rule: Rule, labels: Mapping[str, str], now_ns: int) -> tuple[str, ...]:
    """Return the newest lines that the rule's query counts for the series with these labels.

    At most `MOST` lines, the newest last; the reason in their place when the query fails.
    """
    query = log_query(rule.query, labels)
    if not query:
        return ()
    windows_ns = (parse_duration_ns(text, "") for text in _WINDOW.findall(rule.query))
    start_ns = now_ns - max(_LEAST_WINDOW_NS, *windows_ns, 0)
    try:
        found = list(loki.query_range(readable(query), start_ns, now_ns + 1, MOST, "backward"))
    except LokikitError as error:
        return (f"(the newest lines cannot be had: {error})",)
    return tuple(
        f"{in_seconds(one.timestamp_ns)} {one.metadata.get(DETECTED_LEVEL, '')} {one.line}"
        for one in reversed(found)
    )


def log_query(query: str, labels: Mapping[str, str]) -> str:
    """Return the first log query in a metric query, for a series of it; empty without a query."""
    start = end = -1
    for found in _TOKEN.finditer(query):
        if found[0] == "{" and start < 0:
            start = found.end()
        elif found[0] == "[" and start >= 0:
            end = found.start()
            break
    if start < 0 or end < 0:
        return ""
    inner = _UNWRAP.split(query[start:end], maxsplit=1)[0].strip()
    streams = [f"{name}={quoted(labels[name])}" for name in labels if name in _STREAM_LABELS]
    others = [f"| {name}={quoted(labels[name])}" for name in labels if name not in _STREAM_LABELS]
    return " ".join(("{" + ", ".join((*streams, inner)), *others))
