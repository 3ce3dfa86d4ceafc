"""The dashboard *Service*: one service, from its volume down to its lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.generator.board import (
    CHOSEN,
    LEGEND,
    PLACE,
    SERVICE,
    board,
    named,
    to_service,
)
from grafana.generator.panels import LEVEL_COLOURS, graph, lines
from grafana.generator.tables import rows
from grafana.generator.targets import RANGE, STEP, at_once, found, over_time

from lokikit.fields import (
    DETECTED_LEVEL,
    EXC_TYPE,
    HTTP_METHOD,
    HTTP_ROUTE,
    HTTP_STATUS,
    LABEL_SERVICE,
)
from lokikit.query import logql as queries
from lokikit.query.readable_logql import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana.generator.panels import Panel
    from grafana_foundation_sdk.builders import dashboard

_TOP = 10
_ENOUGH = 10
"""Lines of a point of the error ratio: one error of two lines is no half of a service's work."""
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_NO_REQUESTS = "No requests in this time: a service shows them once it logs one line per request."
_STATUS_COLOURS = {"/^2/": "green", "/^3/": "blue", "/^4/": "yellow", "/^5/": "red"}


def service() -> dashboard.Dashboard:
    """One service: levels, requests, exceptions, lines."""
    return board(
        SERVICE,
        "Service",
        "One service (or those that are chosen): how it does, what fails, and its lines.",
        [
            (14, 8, _levels()),
            (10, 8, error_ratio("Error ratio")),
            (14, 8, _latency()),
            (10, 8, _statuses()),
            (12, 8, _exceptions()),
            (12, 8, _slowest()),
            (24, 8, _examples()),
            (24, 14, _lines()),
        ],
    )


def _levels() -> Panel:
    return graph(
        "Lines by level",
        "How many lines of which level were written.",
        [over_time(queries.lines(CHOSEN, STEP, (DETECTED_LEVEL,)), f"{{{{{DETECTED_LEVEL}}}}}")],
        bars=True,
        colours=LEVEL_COLOURS,
    )


def error_ratio(title: str, links: Sequence[dashboard.DashboardLink] = ()) -> Panel:
    """The graph of the error ratio, in points that are wide enough not to jump on one line."""
    return graph(
        title,
        f"Which part of a service's lines is an error or worse. A point needs {_ENOUGH} lines.",
        [over_time(queries.steady_error_ratio(PLACE, STEP, _ENOUGH), LEGEND)],
        unit="percentunit",
        links=links,
        empty=f"No service wrote {_ENOUGH} lines within one point: try a longer time, or All.",
        least_step="2m",
        joined_s=900,
    )


def _latency() -> Panel:
    return graph(
        "Latency",
        "The time in which half, 95 % and 99 % of the requests were answered.",
        [
            over_time(queries.request_ms(value, PLACE, STEP), f"{name} {LEGEND}")
            for name, value in _QUANTILES.items()
        ],
        unit="ms",
        empty=_NO_REQUESTS,
        least_step="1m",
        joined_s=300,
    )


def _statuses() -> Panel:
    return graph(
        "Requests by status",
        "How many requests were answered with which status.",
        [over_time(queries.requests(PLACE, STEP), f"{{{{{HTTP_STATUS}}}}}")],
        bars=True,
        colours=_STATUS_COLOURS,
        empty=_NO_REQUESTS,
    )


def _exceptions() -> Panel:
    return rows(
        "Top exceptions",
        "The types of exception that are logged most. One leads to its lines, examples below.",
        [at_once(f"topk({_TOP}, {queries.exception_types(PLACE, RANGE)})")],
        names=named(LABEL_SERVICE, EXC_TYPE, value="Lines"),
        links={EXC_TYPE: to_service(search=EXC_TYPE)},
        empty="No exceptions in this time.",
    )


def _slowest() -> Panel:
    slowest = queries.request_ms(_QUANTILES["p95"], PLACE, RANGE, queries.ROUTE)
    return rows(
        "Slowest routes",
        "The routes of which 95 % of the requests took longest.",
        [at_once(f"topk({_TOP}, {slowest})")],
        names=named(LABEL_SERVICE, HTTP_METHOD, HTTP_ROUTE, value="p95"),
        units={"Value #A": "ms"},
        empty=_NO_REQUESTS,
    )


def _examples() -> Panel:
    return lines(
        "Newest exceptions",
        "Examples, the newest; none when nothing failed. Open one for its traceback and request.",
        found(readable(queries.exceptions(CHOSEN)), 20),
    )


def _lines() -> Panel:
    return lines(
        "Lines",
        "The newest lines; none when nothing was written in this time and choice. Open one for its "
        "fields: a request_id leads to all of its request.",
        found(readable(CHOSEN.lines()), 200),
    )
