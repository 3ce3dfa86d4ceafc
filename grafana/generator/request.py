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
from grafana.generator.panels import graph, lines
from grafana.generator.tables import rows
from grafana.generator.targets import RANGE, STEP, at_once, found, over_time
from grafana.generator.tiles import note

from lokikit.fields import DETECTED_LEVEL, LABEL_ENV, LABEL_SERVICE
from lokikit.query import logql as queries
from lokikit.query.readable_logql import readable

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
        tiles=[(24, 3, _help())],
        since="now-24h",
    )


def _help() -> Panel:
    return note(
        "Which request",
        "Where the id comes from.",
        "Put a `request_id` or `trace_id` into the field above, or follow one from a line of "
        "*Service*. Without lines below, none has this id in the time and choice shown: go further "
        "back, or choose All.",
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
        "All of its lines, the oldest first, up to a thousand; none when the id is not found.",
        found(readable(_WANTED), 1000),
        oldest_first=True,
    )
