"""The dashboard *Services*: the fleet at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.generator.board import (
    CHOSEN,
    LEGEND,
    PLACE,
    SERVICE_OF_SERIES,
    SERVICES,
    board,
    named,
    to_service,
)
from grafana.generator.panels import graph, lines, rows, shared_rows, step
from grafana.generator.targets import RANGE, STEP, at_once, found, over_time

from lokikit.fields import EXC_TYPE, LABEL_ENV, LABEL_SERVICE
from lokikit.query import logql as queries

if TYPE_CHECKING:
    from grafana.generator.panels import Panel
    from grafana_foundation_sdk.builders.dashboard import Dashboard

_LINES_PANEL = 2
"""The id of the graph that the table of services shares its answers with."""
_TOP = 10


def services() -> Dashboard:
    """Every service: how much it writes, which part of it errors, what is new."""
    return board(
        SERVICES,
        "Services",
        "All services at a glance. A name leads to its own dashboard.",
        [
            (10, 10, _fleet()),
            (14, 10, _volume()),
            (12, 8, _error_ratio()),
            (12, 8, _talkers()),
            (12, 8, _new_exceptions()),
            (12, 8, _exceptions()),
            (24, 12, _newest_errors()),
        ],
    )


def _fleet() -> Panel:
    groups = {"operation": "groupby", "aggregations": []}
    last, total = ({"operation": "aggregate", "aggregations": [one]} for one in ("max", "sum"))
    columns = {LABEL_SERVICE: groups, LABEL_ENV: groups, "Time": last, "Value": total}
    return shared_rows(
        "Services",
        "Who wrote how many lines in the time shown, and when last, to the width of one bar. "
        "Taken from the graph beside it.",
        _LINES_PANEL,
        names={
            LABEL_SERVICE: "Service",
            LABEL_ENV: "Env",
            "Time (max)": "Last seen",
            "Value (sum)": "Lines",
        },
        steps=[step("labelsToFields"), step("merge"), step("groupBy", fields=columns)],
        units={"Time (max)": "dateTimeFromNow", "Value (sum)": "short"},
        links={LABEL_SERVICE: to_service()},
    )


def _volume() -> Panel:
    return graph(
        "Lines by service",
        "How many lines each service wrote.",
        [over_time(queries.lines(CHOSEN, STEP), LEGEND)],
        bars=True,
        links=to_service(SERVICE_OF_SERIES),
    )


def _error_ratio() -> Panel:
    return graph(
        "Error ratio by service",
        "Which part of a service's lines is an error or worse. A service without any has no line.",
        [over_time(queries.error_ratio(PLACE, STEP), LEGEND)],
        unit="percentunit",
        links=to_service(SERVICE_OF_SERIES),
        empty="No errors in this time.",
    )


def _talkers() -> Panel:
    return rows(
        "Top talkers",
        "The services that write the most bytes: what fills the disk.",
        [at_once(f"topk({_TOP}, {queries.volume(PLACE, RANGE)})")],
        names=named(LABEL_SERVICE, LABEL_ENV, value="Bytes"),
        units={"Value #A": "bytes"},
        links={LABEL_SERVICE: to_service()},
    )


def _new_exceptions() -> Panel:
    return rows(
        "New exception types",
        "Types of exception that did not occur in an equal time before the one shown.",
        [at_once(queries.new_exception_types(PLACE, RANGE))],
        names=named(LABEL_SERVICE, EXC_TYPE, value="Lines"),
        links={LABEL_SERVICE: to_service(), EXC_TYPE: to_service(search=EXC_TYPE)},
        empty="No exception that is new in this time.",
    )


def _exceptions() -> Panel:
    return rows(
        "Top exceptions",
        "The types of exception that are logged most. One leads to its lines.",
        [at_once(f"topk({_TOP}, {queries.exception_types(PLACE, RANGE)})")],
        names=named(LABEL_SERVICE, EXC_TYPE, value="Lines"),
        links={LABEL_SERVICE: to_service(), EXC_TYPE: to_service(search=EXC_TYPE)},
        empty="No exceptions in this time.",
    )


def _newest_errors() -> Panel:
    return lines(
        "Newest errors",
        "The newest lines that are errors or worse. Open one for its fields.",
        found(queries.error_lines(CHOSEN), 100),
    )
