"""The generated files: their names below `grafana/`, and what they hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from grafana.generator.board import FOLDER
from grafana.generator.datasource import datasource
from grafana.generator.pipeline import pipeline
from grafana.generator.provisioned import rule_groups
from grafana.generator.request import request
from grafana.generator.service import service
from grafana.generator.services import services
from grafana.generator.settings import FILE, read_settings
from grafana.generator.tasks import tasks
from grafana_foundation_sdk.cog.encoder import JSONEncoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grafana.generator.settings import Settings

_HEAD = "# Written by `make grafana`: change grafana/settings.yaml or grafana/generator instead.\n"


def generated(settings: Settings | None = None) -> Mapping[str, str]:
    """Name -> text of every generated file, by `grafana/settings.yaml` unless told otherwise."""
    settings = settings or read_settings(FILE.read_text(encoding="utf-8"))
    return {**_dashboards(settings), **_provisioning(settings)}


def _dashboards(settings: Settings) -> dict[str, str]:
    made = (
        services(settings),
        service(),
        tasks(settings.rules["task-overdue"]),
        request(),
        pipeline(),
    )
    files = {}
    for one in made:
        held = json.loads(json.dumps(one.build(), cls=JSONEncoder))
        name = held["uid"].removeprefix(f"{FOLDER}-")
        files[f"dashboards/{name}.json"] = json.dumps(held, indent=2, sort_keys=True) + "\n"
    return files


def _provisioning(settings: Settings) -> dict[str, str]:
    return {
        "provisioning/dashboards/lokikit.yaml": _yaml(
            {"apiVersion": 1, "providers": [_provider()]}
        ),
        "provisioning/datasources/loki.yaml": _yaml(datasource(settings.tracing_uid)),
        "provisioning/alerting/rules.yaml": _yaml(rule_groups(settings)),
        # No plugins: without this folder Grafana logs an error at each start.
        "provisioning/plugins/none.yaml": _yaml({"apiVersion": 1, "apps": []}),
    }


def _provider() -> dict[str, Any]:
    """Where Grafana finds the dashboards: `GRAFANA_DASHBOARDS` says it."""
    return {
        "name": FOLDER,
        "folder": FOLDER,
        "folderUid": FOLDER,
        "type": "file",
        "allowUiUpdates": False,
        "disableDeletion": False,
        "options": {"path": "$GRAFANA_DASHBOARDS"},
    }


def _yaml(held: Any) -> str:
    return _HEAD + yaml.safe_dump(held, sort_keys=False, allow_unicode=True, width=100)
