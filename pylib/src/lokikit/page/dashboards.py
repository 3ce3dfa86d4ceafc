"""Grafana's dashboards on the page, with the same files and queries."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lokikit.errors import SettingsError
from lokikit.page.panels import KINDS, Panel, PanelQueries
from lokikit.stack.kit_files import dashboard_files

if TYPE_CHECKING:
    from lokikit.page.choice import Choice
    from lokikit.query.client import Loki

ORDER = ("services", "service", "tasks", "request", "pipeline")
_NO_VALUE = "No data in this time and choice."


@cache
def dashboards() -> dict[str, dict[str, Any]]:
    """Return uid -> dashboard, in the order of the page.

    Raises:
        SettingsError: a file of the kit holds no dashboard.
    """
    return dict(map(_read, sorted(dashboard_files(), key=_place)))


def _read(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        board = json.loads(file.read_bytes())
        return board["uid"], board
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"{file} holds no dashboard ({error!r}): mend it, and run lokikit up again."
        ) from error


def _place(file: Path) -> tuple[int, str]:
    return (ORDER.index(file.stem) if file.stem in ORDER else len(ORDER), file.stem)


def outline() -> list[dict[str, Any]]:
    """Return the parts of each dashboard that the page needs before it requests panels."""
    return [
        {
            "uid": uid,
            "title": board["title"],
            "description": board.get("description", ""),
            "from": board["time"]["from"],
            "panels": [_outlined(panel) for panel in board["panels"]],
        }
        for uid, board in dashboards().items()
    ]


def _outlined(panel: Panel) -> dict[str, Any]:
    kept = {name: panel.get(name, "") for name in ("id", "type", "title", "description")}
    return {**kept, "grid": panel["gridPos"]}


def ask_panel(loki: Loki, uid: str, panel_id: int, choice: Choice) -> dict[str, Any]:
    """Return the content of a panel.

    Raises:
        SettingsError: there is no such panel, or the choice is wrong.
        LokikitError: the store does not answer, or refuses.
    """
    panel = _panel(uid, panel_id)
    queries = PanelQueries(loki, choice, lambda other: _panel(uid, other))
    empty = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue") or _NO_VALUE
    kind = panel["type"]
    return {"kind": kind, "empty": empty, **KINDS[kind](queries, panel)}


def _panel(uid: str, panel_id: int) -> Panel:
    for panel in dashboards().get(uid, {}).get("panels", ()):
        if panel["id"] == panel_id:
            return dict(panel)
    raise SettingsError(f"there is no panel {panel_id} on a dashboard {uid!r}.")
