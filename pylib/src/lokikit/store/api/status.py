"""Answers about the server itself: build, limits, rules, services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lokikit.store.api.http import PLAIN_JSON, ApiRequest, Response, json_response, text_response
from lokikit.store.errors import QueryError
from lokikit.store.logql.units import format_range

if TYPE_CHECKING:
    from lokikit.store.limits import StoreLimits

SPOKEN_VERSION = "3.7.6"
"""Version of the Loki whose API this is; Grafana chooses its queries by it."""
_LOWER_JSON = "application/json; charset=utf-8"
_UNAUTHORIZED = 401
_NOT_IMPLEMENTED = 501


async def ready(_request: ApiRequest) -> Response:
    """`ready`: the server answers as soon as it can store."""
    return text_response("ready\n")


async def services(_request: ApiRequest) -> Response:
    """`services`, of which there is one."""
    return text_response("store => Running\n")


async def build_info(_request: ApiRequest) -> Response:
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


async def format_query(request: ApiRequest) -> Response:
    """`format_query`: the query, printed anew."""
    from lokikit.store.logql.parser import parse_query  # noqa: PLC0415 - pushes start without
    from lokikit.store.logql.printer import print_query  # noqa: PLC0415 - pushes start without

    form = await request.form(is_strict=False)
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
            "max_query_length": format_range(limits.max_query_length_ns),
            "max_query_lookback": "0s",
            "max_query_range": "0s",
            "max_query_series": limits.max_query_series,
            "metric_aggregation_enabled": False,
            "pattern_persistence_enabled": False,
            "query_timeout": format_range(int(limits.query_timeout_s * 1e9)),
            "retention_period": format_range(limits.retention_ns),
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


async def no_groups(_request: ApiRequest) -> Response:
    """The rule groups of a ruler that has none."""
    return _no_rules("groups")


async def no_alerts(_request: ApiRequest) -> Response:
    """The alerts of a ruler that has none."""
    return _no_rules("alerts")


def _no_rules(kind: str) -> Response:
    content = {"status": "success", "data": {kind: []}, "errorType": "", "error": ""}
    return json_response(content, PLAIN_JSON)


async def no_rules(_request: ApiRequest) -> Response:
    """`rules`: a ruler without a rule file."""
    return Response(200, b"{}\n", "application/yaml")


async def no_otlp(_request: ApiRequest) -> Response:
    """`otlp/v1/logs`: refused by name."""
    return text_response(
        "the embedded store takes no OTLP: push to /loki/api/v1/push, or use Loki\n",
        _NOT_IMPLEMENTED,
    )
