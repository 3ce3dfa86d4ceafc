"""What all dashboards share: variables, links to each other, ids and places of their panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana.generator.panels import link
from grafana.generator.targets import LOKI
from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from lokikit.fields import (
    DETECTED_LEVEL,
    DETECTED_LEVELS,
    EXC_TYPE,
    HTTP_METHOD,
    HTTP_ROUTE,
    LABEL_ENV,
    LABEL_SERVICE,
    TASK_NAME,
)
from lokikit.query.logql import Selection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grafana.generator.panels import Panel

SERVICES, SERVICE, TASKS, REQUEST, PIPELINE = (
    f"lokikit-{name}" for name in ("services", "service", "tasks", "request", "pipeline")
)
"""The uids, which addresses and alert rules name: they never change."""
TAG = "lokikit"
FOLDER = "lokikit"
SEARCH = "search"

PLACE = Selection("$service", "$env")
"""The chosen services: for ratios, which a choice of lines would bend."""
CHOSEN = Selection("$service", "$env", f"${DETECTED_LEVEL}", f"${{{SEARCH}:raw}}")
"""The chosen lines of them."""
LEGEND = f"{{{{{LABEL_SERVICE}}}}} {{{{{LABEL_ENV}}}}}"
SERVICE_OF_ROW = f"${{__data.fields.{LABEL_SERVICE}}}"
SERVICE_OF_SERIES = f"${{__field.labels.{LABEL_SERVICE}}}"

_FIRST_TILE = 101
_POINTS_PER_COLUMN = 5
"""About eleven pixels a point on a laptop."""
_EVERYTHING = VariableOption(selected=True, text=["All"], value=["$__all"])
_LEVELS = (*dict.fromkeys(DETECTED_LEVELS.values()), "fatal", "unknown")

_TITLES = {
    LABEL_SERVICE: "Service",
    LABEL_ENV: "Env",
    DETECTED_LEVEL: "Level",
    EXC_TYPE: "Exception",
    HTTP_METHOD: "Method",
    HTTP_ROUTE: "Route",
    TASK_NAME: "Task",
}

Placed = tuple[int, int, "Panel"]
"""Width of 24, height, panel."""


def to_service(service: str = SERVICE_OF_ROW, search: str = "") -> list[dashboard.DashboardLink]:
    """The link from a row or a series to the dashboard of its service.

    Args:
        service: where Grafana finds its name.
        search: the column whose value is searched for there.
    """
    found = {SEARCH: f"${{__data.fields.{search}}}"} if search else {}
    return [link("Open the service", SERVICE, service=service, **found)]


def named(*columns: str, value: str) -> dict[str, str]:
    """Columns of a table of one query, and what people call them."""
    return {**{one: _TITLES[one] for one in columns}, "Value #A": value}


def labels(name: str, label: str, stream: str, everything: str) -> dashboard.QueryVariable:
    """A variable with the values of a stream label."""
    query: dict[str, object] = {"label": label, "stream": stream, "type": 1, "refId": name}
    return (
        dashboard.QueryVariable(name)
        .label(name)
        .datasource(LOKI)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(everything)
        .current(_EVERYTHING)
    )


def _levels() -> dashboard.CustomVariable:
    return (
        dashboard.CustomVariable(DETECTED_LEVEL)
        .label("level")
        .values(",".join(_LEVELS))
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(PLACE.level)
        .current(_EVERYTHING)
    )


def typed(name: str, label: str, description: str, default: str = "") -> dashboard.TextBoxVariable:
    """A variable that somebody types."""
    box = dashboard.TextBoxVariable(name).label(label).description(description)
    return box.default_value(default).current(VariableOption(True, default, default))


def board(  # noqa: PLR0913 - all but the first four by keyword or spread
    uid: str,
    title: str,
    description: str,
    placed: Sequence[Placed],
    *more: dashboard.TextBoxVariable,
    tiles: Sequence[Placed] = (),
    since: str = "now-1h",
) -> dashboard.Dashboard:
    """A dashboard with the variables that all have.

    Args:
        uid: of the dashboard.
        title: of it.
        description: of it.
        placed: its panels, row by row; their ids count from 1.
        more: variables before those that all dashboards have.
        tiles: panels above the others; their ids count from 101, so that links to the others stay.
        since: the start of the time that is shown at first.
    """
    made = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .timezone("browser")
        .time(since, "now")
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(_links())
    )
    everything = Selection()
    for variable in (
        *more,
        labels("service", LABEL_SERVICE, "", everything.service),
        labels("env", LABEL_ENV, f'{{{LABEL_SERVICE}=~"$service"}}', everything.env),
        _levels(),
        typed(
            SEARCH, "search", "Text that a line holds, exactly as it stands there; no backticks."
        ),
    ):
        made.with_variable(variable)
    for panel in (*_numbered(tiles, _FIRST_TILE), *_numbered(placed, 1)):
        made.with_panel(panel)
    return made


def _links() -> dashboard.DashboardLink:
    others = dashboard.DashboardLink("lokikit").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return others.include_vars(include_vars=True).keep_time(keep_time=True)


def _numbered(placed: Sequence[Placed], first: int) -> list[Panel]:
    """The panels with their ids, by which links and rules name them, and their points.

    As many points as have room to be seen: a bar for each second would be a comb.
    """
    return [
        panel.id(number).span(width).height(height).max_data_points(width * _POINTS_PER_COLUMN)
        for number, (width, height, panel) in enumerate(placed, first)
    ]
