"""The dashboard *Pipeline*: whether lines arrive, how many, how late, and what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.generator.board import (
    CHOSEN,
    LEGEND,
    PIPELINE,
    PLACE,
    SERVICE_OF_SERIES,
    board,
    to_service,
)
from grafana.generator.panels import graph
from grafana.generator.tables import reports
from grafana.generator.targets import RANGE, STEP, at_once, found, over_time
from grafana.generator.tiles import number, totals

from lokikit.fields import (
    AGENT_DROPPED,
    CANARY_DUPLICATES,
    CANARY_LATE,
    CANARY_LOST,
    CANARY_ROUND_TRIP_S,
    CONTACT_POINTS,
    MAX_STREAMS,
)
from lokikit.query import logql as queries
from lokikit.query.readable_logql import readable

if TYPE_CHECKING:
    from grafana.generator.panels import Panel
    from grafana_foundation_sdk.builders.dashboard import Dashboard

_NO_CANARY = "No canary in this time: start it, or the pipeline is broken."
_JOINED_S = 300
"""The canary says its numbers once a minute: a line goes on over a minute or two without."""
_CANARY_NUMBERS = {"lost": CANARY_LOST, "late": CANARY_LATE, "twice": CANARY_DUPLICATES}


def pipeline() -> Dashboard:
    """The way of the lines itself."""
    return board(
        PIPELINE,
        "Pipeline",
        "Whether lines arrive, how many, how late, and what is lost on the way.",
        [
            (6, 6, _streams()),
            (6, 6, _contact_points()),
            (12, 6, _delay()),
            (12, 8, _bytes()),
            (12, 8, _lines()),
            (12, 8, _canary()),
            (12, 8, _unparsed()),
            (12, 8, _agent_drops()),
            (12, 8, _drops()),
            (24, 10, _unparsed_lines()),
        ],
    )


def _streams() -> Panel:
    return number(
        "Streams",
        "How many streams wrote in the last hour, by the labels of the contract. "
        f"The budget is {MAX_STREAMS}.",
        at_once(queries.streams(PLACE, "1h")),
        limits={0.8 * MAX_STREAMS: "yellow", MAX_STREAMS: "red"},
    )


def _contact_points() -> Panel:
    return number(
        "Who is told of alerts",
        "How many contact points are set up, as the canary knows it.",
        at_once(queries.canary_latest(CONTACT_POINTS, RANGE)),
        limits={0: "red", 1: "green"},
        texts={"0": "Nobody: set mail, webhook or Slack"},
        empty="Unknown: no canary told it in this time.",
    )


def _delay() -> Panel:
    return graph(
        "Delay",
        "From writing a line to finding it in Loki, the slowest of the canary. Loki keeps no time "
        "of arrival, so the canary measures it.",
        [over_time(queries.canary_number("max", CANARY_ROUND_TRIP_S, STEP), "round trip")],
        unit="s",
        empty=_NO_CANARY,
        least_step="1m",
        joined_s=_JOINED_S,
    )


def _bytes() -> Panel:
    return graph(
        "Bytes by service",
        "How many bytes of lines each service wrote.",
        [over_time(queries.volume(PLACE, STEP), LEGEND)],
        unit="bytes",
        bars=True,
        links=to_service(SERVICE_OF_SERIES),
    )


def _lines() -> Panel:
    return graph(
        "Lines by service",
        "How many lines each service wrote.",
        [over_time(queries.lines(PLACE, STEP), LEGEND)],
        bars=True,
        links=to_service(SERVICE_OF_SERIES),
    )


def _canary() -> Panel:
    return totals(
        "Canary",
        "Of the canary's numbered lines in the time shown: lost, come after they were given up, or "
        "come twice, and when. All three are none while the pipeline is well.",
        {
            name: over_time(queries.canary_number("sum", field, STEP), name)
            for name, field in _CANARY_NUMBERS.items()
        },
        colours={"lost": "red", "late": "yellow", "twice": "orange"},
        empty=_NO_CANARY,
    )


def _unparsed() -> Panel:
    return graph(
        "Unparsed lines by service",
        "Lines that do not begin as a JSON object does: crashes, programs of others, torn lines.",
        [over_time(queries.count(queries.unparsed(PLACE), STEP), LEGEND)],
        bars=True,
        links=to_service(SERVICE_OF_SERIES),
        empty="Every line was JSON in this time.",
    )


def _agent_drops() -> Panel:
    return graph(
        "Dropped by the agent",
        "Lines that the agent has dropped since it started, as it told the canary. An upper bound: "
        "of a chunk that Loki refuses, Loki stores the valid lines.",
        [over_time(queries.canary_number("max", AGENT_DROPPED, STEP), "dropped so far")],
        empty="Unknown: no canary could ask the agent in this time.",
        least_step="1m",
        joined_s=_JOINED_S,
    )


def _drops() -> Panel:
    return reports(
        "Reports of drops",
        "What handlers and `lokikit ship` report on stderr, and the agent of its split files, when "
        "they drop lines.",
        found(readable(queries.drops(PLACE)), 50),
        empty="Nothing was dropped: no part of the kit has reported a drop in this time.",
    )


def _unparsed_lines() -> Panel:
    return reports(
        "Unparsed lines",
        "The newest lines that do not begin as a JSON object does.",
        found(readable(queries.unparsed(CHOSEN)), 50),
        empty="Every line was JSON in this time.",
    )
