"""The dashboard *Request*: everything that one request or trace touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.generator.board import (
    CHOSEN,
    LEGEND,
    REQUEST,
    SERVICE_OF_SERIES,
    board,
    named,
    to_service,
    typed,
)
from grafana.generator.panels import graph, lines, rows
from grafana.generator.targets import RANGE, STEP, at_once, found, over_time

from lokikit.fields import DETECTED_LEVEL, LABEL_ENV, LABEL_SERVICE
from lokikit.query import logql as queries

if TYPE_CHECKING:
    from grafana.generator.panels import Panel
    from grafana_foundation_sdk.builders.dashboard import Dashboard

ID = "id"
_WANTED = queries.of_one_id(CHOSEN, f"${{{ID}:raw}}")
_EMPTY = "No line has this id in this time. Put a request_id or trace_id above, or go further back."


def request() -> Dashboard:
    """One request over all services, in order."""
    return board(
        REQUEST,
        "Request",
        "Everything that one request_id or trace_id touched, over all services.",
        [
            (10, 7, _touched()),
            (14, 7, _course()),
            (24, 18, _lines()),
        ],
        typed(ID, "request or trace id", "The whole id, as it stands in a line.", "none"),
        since="now-24h",
    )


def _touched() -> Panel:
    by = (LABEL_SERVICE, LABEL_ENV, DETECTED_LEVEL)
    return rows(
        "Services touched",
        "Which services wrote lines with this id, by level.",
        [at_once(queries.count(_WANTED, RANGE, by))],
        names=named(*by, value="Lines"),
        links={LABEL_SERVICE: to_service()},
        empty=_EMPTY,
    )


def _course() -> Panel:
    return graph(
        "Course",
        "When which service wrote lines with this id.",
        [over_time(queries.count(_WANTED, STEP), LEGEND)],
        bars=True,
        links=to_service(SERVICE_OF_SERIES),
        empty=_EMPTY,
    )


def _lines() -> Panel:
    return lines(
        "Lines in order",
        "All of its lines, the oldest first, up to a thousand.",
        found(_WANTED, 1000),
        oldest_first=True,
    )
