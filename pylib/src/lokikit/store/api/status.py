"""Answers that say what this server is: build, limits, rules, services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lokikit.store.api.http import PLAIN_JSON, Response, json_response, text_response
from lokikit.store.api.parameters import prometheus_duration
from lokikit.store.errors import QueryError

if TYPE_CHECKING:
    from lokikit.store.api.http import Form
    from lokikit.store.limits import StoreLimits

SPOKEN_VERSION = "3.7.6"
"""The Loki whose API this is; Grafana decides by it what it may ask."""
_LOWER_JSON = "application/json; charset=utf-8"
_UNAUTHORIZED = 401
_NOT_IMPLEMENTED = 501


def build_info() -> Response:
    """`status/buildinfo`, with the version of Loki whose API this is."""
    from importlib.metadata import version  # noqa: PLC0415 - a start need not wait for it

    content = {
        "version": SPOKEN_VERSION,
        "revision": f"lokikit-{version('lokikit')}",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }
    return json_response(content, PLAIN_JSON)


def format_query(form: Form) -> Response:
    """`format_query`: the query, printed anew."""
    from lokikit.store.logql.parser import parse_query  # noqa: PLC0415 - pushes start without
    from lokikit.store.logql.printer import print_query  # noqa: PLC0415 - pushes start without

    try:
        content = {"status": "success", "data": print_query(parse_query(form.get("query")))}
    except QueryError as error:
        body = json_response({"status": "invalid-query", "error": str(error)}).body
        return Response(error.status, body, _LOWER_JSON)
    return json_response(content, _LOWER_JSON)


def drilldown_limits(limits: StoreLimits, tenant: str) -> Response:
    """`drilldown-limits`: what Grafana's Drilldown may ask; like Loki's, for a named tenant."""
    if not tenant:
        return text_response("no org id\n", _UNAUTHORIZED)
    content = {
        "limits": {
            "discover_log_levels": limits.discover_log_levels,
            "discover_service_name": [],
            "log_level_fields": limits.log_level_fields,
            "max_entries_limit_per_query": limits.max_entries,
            "max_line_size_truncate": limits.max_line_size_truncate,
            "max_query_bytes_read": "0B",
            "max_query_length": prometheus_duration(limits.max_query_length_ns),
            "max_query_lookback": "0s",
            "max_query_range": "0s",
            "max_query_series": limits.max_query_series,
            "metric_aggregation_enabled": False,
            "pattern_persistence_enabled": False,
            "query_timeout": prometheus_duration(int(limits.query_timeout_s * 1e9)),
            "retention_period": prometheus_duration(limits.retention_ns),
            "volume_enabled": True,
            "volume_max_series": 1000,
        },
        "pattern_ingester_enabled": False,
        "version": SPOKEN_VERSION,
    }
    return json_response(content, PLAIN_JSON)


def config_text(limits: StoreLimits) -> Response:
    """`config`: the limits, as YAML."""
    lines = ["target: all", "limits_config:"]
    lines += [f"  {name}: {_yaml(value)}" for name, value in vars(limits).items()]
    return Response(200, ("\n".join(lines) + "\n").encode(), "text/plain; charset=utf-8")


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(map(repr, value))}]" if isinstance(value, tuple) else str(value)


def prometheus_rules(kind: str) -> Response:
    """The rules or alerts of a ruler that has none."""
    content = {"status": "success", "data": {kind: []}, "errorType": "", "error": ""}
    return json_response(content, PLAIN_JSON)


def no_rules() -> Response:
    """`rules`: a ruler without a rule file."""
    return Response(200, b"{}\n", "application/yaml")


def no_otlp() -> Response:
    """`otlp/v1/logs`: refused by name."""
    return text_response(
        "the embedded store takes no OTLP: push to /loki/api/v1/push, or use Loki\n",
        _NOT_IMPLEMENTED,
    )
