"""Queries of panels: of Loki, or of what another panel of the same dashboard has asked already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import loki
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.loki import QueryEditorMode

if TYPE_CHECKING:
    from collections.abc import Sequence

LOKI = DataSourceRef("loki", "loki")
"""Of the fixed uid that the data source is provisioned with."""
SHARED = DataSourceRef("datasource", "-- Dashboard --")
STEP = "$__auto"
"""The span of one point of a graph."""
RANGE = "$__range"
"""All of the time that the dashboard shows."""

Query = builder.Builder[variants.Dataquery]


def over_time(expr: str, legend: str = "__auto") -> loki.Dataquery:
    """A metrics query with one value for each point of a graph."""
    return _query(expr).query_type("range").legend_format(legend)


def at_once(expr: str) -> loki.Dataquery:
    """A metrics query with one value for each row of a table."""
    return _query(expr).query_type("instant")


def found(expr: str, max_lines: int) -> loki.Dataquery:
    """A query for lines, the newest ones."""
    return _query(expr).query_type("range").max_lines(max_lines)


def _query(expr: str) -> loki.Dataquery:
    return loki.Dataquery().datasource(LOKI).expr(expr).editor_mode(QueryEditorMode.CODE)


class _Shared(variants.Dataquery):
    def __init__(self, panel_id: int) -> None:
        self.panel_id = panel_id

    def to_json(self) -> dict[str, object]:
        """As Grafana stores it."""
        return {"datasource": SHARED, "panelId": self.panel_id, "refId": "A"}


class Shared(builder.Builder[variants.Dataquery]):
    """What the panel of that id has asked: Loki is not asked again."""

    def __init__(self, panel_id: int) -> None:
        self._panel_id = panel_id

    def build(self) -> variants.Dataquery:
        """The query."""
        return _Shared(self._panel_id)


def lettered(targets: Sequence[loki.Dataquery]) -> list[Query]:
    """The queries, named A, B, C in their order."""
    return [target.ref_id(chr(ord("A") + number)) for number, target in enumerate(targets)]
