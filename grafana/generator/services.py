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
from grafana.generator.panels import graph, lines
from grafana.generator.rules import breaches_count
from grafana.generator.service import error_ratio
from grafana.generator.tables import merged, rows, shared_rows, step
from grafana.generator.targets import RANGE, STEP, at_once, found, over_time
from grafana.generator.tiles import against_before, alert_list, firing_count

from lokikit.fields import EXC_TYPE, LABEL_ENV, LABEL_SERVICE
from lokikit.query import logql as queries
from lokikit.query.readable_logql import readable

if TYPE_CHECKING:
    from grafana.generator.panels import Panel
    from grafana.generator.settings import Settings
    from grafana_foundation_sdk.builders.dashboard import Dashboard

_LINES_PANEL = 2
"""The id of the graph that the table of services shares its answers with."""
_TOP = 10


def services(settings: Settings) -> Dashboard:
    """Every service: how much it writes, which part of it errors, what is new, what is wrong.

    Args:
        settings: of the rules whose breaches are counted.
    """
    return board(
        SERVICES,
        "Services",
        "All services at a glance. A name leads to its own dashboard.",
        [
            (10, 10, _fleet()),
            (14, 10, _volume()),
            (12, 8, error_ratio("Error ratio by service", to_service(SERVICE_OF_SERIES))),
            (12, 8, _talkers()),
            (12, 8, _new_exceptions()),
            (12, 8, _exceptions()),
            (24, 12, _newest_errors()),
        ],
        tiles=[
            (4, 5, _services()),
            (4, 5, _lines_per_minute()),
            (4, 5, _ratio()),
            (4, 5, _breaches(settings)),
            (2, 5, _firing()),
            (6, 5, _alerts()),
        ],
    )


def _services() -> Panel:
    return against_before(
        "Services writing",
        "How many services wrote in the time shown, and in an equal time before.",
        queries.services_count(PLACE, RANGE),
    )


def _lines_per_minute() -> Panel:
    return against_before(
        "Lines a minute",
        "How many lines came in a minute of the time shown, and of an equal time before.",
        queries.lines_per_minute(PLACE, RANGE),
    )


def _ratio() -> Panel:
    return against_before(
        "Errors among all lines",
        "Which part of all lines are errors or worse, now and in an equal time before.",
        queries.total_error_ratio(PLACE, RANGE),
        unit="percentunit",
    )


def _breaches(settings: Settings) -> Panel:
    return against_before(
        "Over a threshold",
        "How many of all services and tasks are over the threshold of a rule, now and an equal "
        "time before: errors, critical lines, silence, slow requests, failed tasks, lines that are "
        "no JSON. How long they have been so is not looked at.",
        breaches_count(settings),
    )


def _firing() -> Panel:
    return firing_count(
        "Firing",
        "How many alerts fire just now, as Grafana knows it. The list beside it names them.",
    )


def _alerts() -> Panel:
    return alert_list(
        "Alerts",
        "The alerts that fire just now. A click shows the rule with its history and its runbook.",
    )


def _fleet() -> Panel:
    groups = {"operation": "groupby", "aggregations": []}
    last, total = ({"operation": "aggregate", "aggregations": [one]} for one in ("max", "sum"))
    columns = {LABEL_SERVICE: groups, LABEL_ENV: groups, "Time": last, "Value": total}
    names = {
        LABEL_SERVICE: "Service",
        LABEL_ENV: "Env",
        "Time (max)": "Last seen",
        "Value (sum)": "Lines",
    }
    *_, in_order = merged(names)
    return shared_rows(
        "Services",
        "Who wrote how many lines in the time shown, and when last, to the width of one bar. "
        "Taken from the graph beside it.",
        _LINES_PANEL,
        names=names,
        steps=[step("labelsToFields"), step("merge"), step("groupBy", fields=columns), in_order],
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
        "Types of exception that a service did not log in an equal time before the one shown. A "
        "service that logged nothing at all then is left out: all of its types would be new.",
        [at_once(queries.new_exception_types(PLACE, RANGE))],
        names=named(LABEL_SERVICE, EXC_TYPE, value="Lines"),
        links={LABEL_SERVICE: to_service(), EXC_TYPE: to_service(search=EXC_TYPE)},
        empty="No type of exception is new: each was logged in the time before too.",
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
        "The newest lines that are errors or worse, none when no service failed. Open one for its "
        "fields.",
        found(readable(queries.error_lines(CHOSEN)), 100),
    )
