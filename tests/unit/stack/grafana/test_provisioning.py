"""The folder that Grafana is provisioned from."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lokikit.errors import SettingsError
from lokikit.stack.compose_file import read_compose_file
from lokikit.stack.grafana.provisioning import (
    CONTACT_FILE,
    DASHBOARDS,
    provision,
    provisioning_files,
    smtp_password_file,
)
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLACK = {"ALERT_SLACK_URL": "https://hooks.slack.com/services/T/B/$x"}
MAIL = {"ALERT_MAIL_TO": "a@x.org", "ALERT_SMTP_HOST": "x.org:25"}
LOGIN = {"ALERT_SMTP_USER": "u", "ALERT_SMTP_PASSWORD": "pa$$"}


def names(folder: Path) -> set[str]:
    """The files below the folder."""
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


def test_folder_has_the_files_of_the_kit(tmp_path: Path) -> None:
    """Without a contact point Grafana gets the kit's files, byte for byte, and no other."""
    kit = kit_root() / "grafana/provisioning"
    folder = provision(tmp_path, {})
    assert names(folder) == names(kit)
    assert names(folder)
    for name in names(folder):
        assert (folder / name).read_bytes() == (kit / name).read_bytes(), name


def test_contact_file_comes_and_goes_with_its_settings(tmp_path: Path) -> None:
    """It is there while something is set; afterwards it removes what Grafana still has."""
    folder = provision(tmp_path, SLACK)
    held = yaml.safe_load((folder / CONTACT_FILE).read_bytes())
    assert held["contactPoints"][0]["receivers"][0]["settings"]["url"].endswith("/$$x")
    provision(tmp_path, {})
    held = yaml.safe_load((folder / CONTACT_FILE).read_bytes())
    assert held.keys() == {"apiVersion", "resetPolicies", "deleteContactPoints"}
    assert provision(tmp_path, {}) == folder
    assert names(provision(tmp_path / "another", {})).isdisjoint({CONTACT_FILE})


def test_file_that_the_kit_has_no_more(tmp_path: Path) -> None:
    """What an older version left in the folder is removed."""
    left = provision(tmp_path, {}) / "alerting/old.yaml"
    left.parent.mkdir(exist_ok=True)
    left.write_text("old")
    provision(tmp_path, {})
    assert not left.exists()


def test_secrets_are_behind_a_closed_folder(tmp_path: Path) -> None:
    """Nobody else gets to the files; a container that has them mounted can read them."""
    folder = provision(tmp_path, SLACK | MAIL | LOGIN)
    closed = tmp_path / "grafana"
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert smtp_password_file(tmp_path).read_text() == "pa$$"
    for file in (folder / CONTACT_FILE, smtp_password_file(tmp_path)):
        assert file.is_relative_to(closed)
        assert stat.S_IMODE(file.stat().st_mode) == 0o644
    for inner in (folder, folder / "alerting"):
        assert stat.S_IMODE(inner.stat().st_mode) == 0o755


def test_password_goes_with_its_setting(tmp_path: Path) -> None:
    """A password that is not set any more does not stay on the disk."""
    provision(tmp_path, MAIL | LOGIN)
    provision(tmp_path, {})
    assert smtp_password_file(tmp_path).read_text() == ""


def test_bad_setting_leaves_the_folder_alone(tmp_path: Path) -> None:
    """What Grafana runs with stays until what replaces it is good."""
    folder = provision(tmp_path, SLACK)
    before = (folder / CONTACT_FILE).read_bytes()
    with pytest.raises(SettingsError, match="ALERT_SLACK_URL"):
        provision(tmp_path, {"ALERT_SLACK_URL": "nonsense"})
    assert (folder / CONTACT_FILE).read_bytes() == before


def every_file() -> dict[str, Any]:
    """Name -> content of each provisioning file, with every kind of contact set."""
    environ = SLACK | MAIL | {"ALERT_WEBHOOK_URL": "https://x.org"}
    files = provisioning_files(environ, frozenset())
    return {name: yaml.safe_load(content) for name, content in files.items()}


def parts(key: str) -> list[Any]:
    """All that the provisioning files list under a key."""
    return [part for content in every_file().values() for part in content.get(key, ())]


def texts(content: Any) -> Iterator[str]:
    """Every text in a file, except in rules, whose `$` are Grafana's own templates."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from () if key == "groups" else texts(value)
    elif isinstance(content, list):
        for value in content:
            yield from texts(value)


def test_rules_ask_a_data_source_that_is_provisioned() -> None:
    known = {source["uid"] for source in parts("datasources")} | {"__expr__", "-100"}
    rules = [rule for group in parts("groups") for rule in group["rules"]]
    assert {query["datasourceUid"] for rule in rules for query in rule["data"]} <= known


def test_policies_name_a_receiver_that_is_provisioned() -> None:
    """Grafana does not start over a receiver that it does not know."""
    (policy,) = parts("policies")
    assert [policy["receiver"]] == [point["name"] for point in parts("contactPoints")]
    assert "routes" not in policy
    rules = [rule for group in parts("groups") for rule in group["rules"]]
    assert [rule["uid"] for rule in rules if "notification_settings" in rule] == []


def test_files_use_only_variables_of_grafanas_environment() -> None:
    """Grafana reads a variable that is not set as empty, without a word."""
    text = "\n".join(texts(list(every_file().values()))).replace("$$", "")
    used = set(re.findall(r"\$\{?(\w+)", text))
    assert used <= set(read_compose_file()["services"]["grafana"]["environment"])
    assert used == {DASHBOARDS, "LOKI_URL", "LOKI_ORG_ID"}
