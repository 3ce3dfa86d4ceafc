"""What makes the dashboards and rules; it needs Grafana's SDK, and so Python 3.11."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.dashboards import GRAFANA

from lokikit.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("grafana_foundation_sdk")

from grafana.generator.datasource import datasource
from grafana.generator.files import generated
from grafana.generator.provisioned import rule_groups
from grafana.generator.settings import FILE, read_settings

Rules = dict[str, Any]


def test_files_are_those_that_the_sources_make() -> None:
    """`make grafana` would change no file, and no file is left that it does not make."""
    made = {GRAFANA / name: text for name, text in generated().items()}
    folders = [GRAFANA / "dashboards", GRAFANA / "provisioning"]
    there = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert there == set(made)
    assert [path for path, text in made.items() if path.read_text() != text] == []


@pytest.fixture
def changed() -> Callable[..., Rules]:
    """The rules by uid, once a section of the settings has other values."""

    def make(section: str, **values: object) -> Rules:
        held = yaml.safe_load(FILE.read_text())
        held["rules"].setdefault(section, {}).update(values)
        groups = rule_groups(read_settings(yaml.safe_dump(held)))["groups"]
        return {rule["uid"]: rule for group in groups for rule in group["rules"]}

    return make


def test_one_service_is_set_otherwise(changed: Callable[..., Rules]) -> None:
    """The rule for all leaves that service out, and a rule of its own has its numbers."""
    made = changed("error-ratio", services={"checkout": {"threshold": 0.01}})
    everyone, own = made["error-ratio"], made["error-ratio-checkout"]
    assert 'service_name!~"checkout"' in everyone["data"][0]["model"]["expr"]
    assert 'service_name=~"checkout"' in own["data"][0]["model"]["expr"]
    conditions = [one["data"][2]["model"]["conditions"][0] for one in (everyone, own)]
    assert [one["evaluator"]["params"] for one in conditions] == [[0.05], [0.01]]
    assert own["annotations"]["runbook"] == everyone["annotations"]["runbook"]


def test_one_service_is_switched_off(changed: Callable[..., Rules]) -> None:
    """Its rule is there, and asleep."""
    made = changed("service-silent", services={"nightly": {"enabled": False}})
    assert made["service-silent-nightly"]["isPaused"]
    assert not made["service-silent"]["isPaused"]


@pytest.mark.parametrize(
    ("section", "values", "error"),
    [
        ("error-ratio", {"treshold": 1}, "treshold"),
        ("error-ratio", {"window": "soon"}, "soon"),
        ("no-such", {"threshold": 1, "window": "1m", "for": "0s", "every": "1m"}, "no-such"),
        ("pipeline-silent", {"services": {"api": {"threshold": 2}}}, "one service"),
        ("error-ratio", {"services": {"a-service-of-a-very-long-name": {}}}, "too long"),
    ],
)
def test_wrong_setting_is_named(
    changed: Callable[..., Rules], section: str, values: dict[str, Any], error: str
) -> None:
    """A slip in `settings.yaml` is an error that names it, and no file is written."""
    with pytest.raises(SettingsError, match=error):
        changed(section, **values)


def test_trace_ids_are_links_once_a_data_source_is_named() -> None:
    """Without one there is no link that leads nowhere."""

    def links(uid: str) -> dict[str, dict[str, str]]:
        fields = datasource(uid)["datasources"][0]["jsonData"]["derivedFields"]
        return {one["name"]: one for one in fields}

    assert set(links("")) == {"request_id"}
    assert links("tempo")["trace_id"]["datasourceUid"] == "tempo"
    assert {one["matcherType"] for one in links("tempo").values()} == {"label"}
