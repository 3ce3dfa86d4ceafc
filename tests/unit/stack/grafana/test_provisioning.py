"""The folder that Grafana is provisioned from, and what is checked before Grafana starts."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lokikit.errors import SettingsError
from lokikit.stack.grafana.checks import check_dashboards, check_provisioning
from lokikit.stack.grafana.contacts import read_contacts
from lokikit.stack.grafana.provisioning import (
    CONTACT_FILE,
    VARIABLES,
    provision,
    provisioning_files,
    smtp_password_file,
)
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
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


def test_own_files_are_good() -> None:
    """The kit's files pass with every way of telling somebody."""
    environ = SLACK | MAIL | {"ALERT_WEBHOOK_URL": "https://x.org"}
    assert len(read_contacts(environ).ways) == 3
    files = provisioning_files(environ, frozenset())
    check_provisioning(files, VARIABLES)
    assert CONTACT_FILE in files


SOURCE = {"apiVersion": 1, "datasources": [{"uid": "loki", "url": "$LOKI_URL"}]}
POINT = {"name": "ops", "receivers": [{"uid": "p", "type": "slack", "settings": {"url": "x"}}]}


def rules(uid: str = "r", source: str = "loki", **more: Any) -> dict[str, Any]:
    """A file with one rule."""
    data = [{"datasourceUid": source}, {"datasourceUid": "__expr__"}]
    return {"apiVersion": 1, "groups": [{"rules": [{"uid": uid, "data": data, **more}]}]}


def checked(**files: Any) -> None:
    """Check files of the folders that are named, from what they hold or from text."""
    given = {"datasources/loki.yaml": SOURCE}
    given |= {f"{name.replace('__', '/')}.yaml": held for name, held in files.items()}
    texts = {
        name: held if isinstance(held, bytes) else yaml.safe_dump(held).encode()
        for name, held in given.items()
    }
    check_provisioning(texts, ("LOKI_URL",))


def test_good_files_pass() -> None:
    """Files that fit together, also where a rule's own query has a $."""
    policy = {"receiver": "ops", "routes": [{"receiver": "ops"}]}
    checked(
        alerting__rules=rules(title="$labels", notification_settings={"receiver": "ops"}),
        alerting__points={"apiVersion": 1, "contactPoints": [POINT], "policies": [policy]},
    )


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"alerting__x": b"a: [\xff"}, "alerting/x.yaml: it is no YAML"),
        ({"alerting__x": b"a: [b"}, "alerting/x.yaml: it is no YAML"),
        ({"alerting__x": b"- 1"}, "alerting/x.yaml: it does not say apiVersion: 1"),
        ({"alerting__x": {"apiVersion": 1, "contact_points": []}}, "does not know contact_points"),
        ({"alerts__x": {"apiVersion": 1}}, "reads nothing in alerts/"),
        ({"datasources__x": SOURCE}, "another data source with the uid loki"),
        ({"alerting__x": rules(), "alerting__y": rules()}, "another alert rule with the uid r"),
        ({"alerting__x": rules(source="prom")}, "rule r asks data source prom"),
        (
            {"alerting__x": rules(notification_settings={"receiver": "ops"})},
            "names the receiver ops",
        ),
        (
            {"alerting__x": {"apiVersion": 1, "policies": [{"routes": [{"receiver": "ops"}]}]}},
            "names the receiver ops",
        ),
        (
            {"alerting__x": {"apiVersion": 1, "contactPoints": [POINT, POINT]}},
            "another contact point with the uid p",
        ),
        (
            {"alerting__x": {"apiVersion": 1, "contactPoints": [{"name": "ops"}]}},
            "contactPoints lacks 'receivers'",
        ),
        (
            {"alerting__x": {"apiVersion": 1, "policies": [{"group_by": ["$HOME"]}]}},
            "nothing sets $HOME",
        ),
        (
            {
                "alerting__x": {"apiVersion": 1, "policies": [{}]},
                "alerting__y": {"apiVersion": 1, "policies": [{}]},
            },
            "another tree of policies",
        ),
    ],
)
def test_bad_files(files: dict[str, Any], named: str) -> None:
    """Each fault is one sentence that names its file."""
    with pytest.raises(SettingsError) as error:
        checked(**files)
    assert named in str(error.value)
    assert "\n" not in str(error.value)
    assert ".yaml" in str(error.value)


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}"])
def test_bad_dashboards(content: bytes) -> None:
    """A file that is no dashboard is named."""
    with pytest.raises(SettingsError, match=r"dashboards/a\.json"):
        check_dashboards({"a.json": content})


def test_dashboards_have_a_uid_each() -> None:
    """Of two with the same one Grafana would show the last."""
    check_dashboards({"a.json": b'{"uid": "a"}', "b.json": b'{"uid": "b"}'})
    with pytest.raises(SettingsError, match="another dashboard with the uid a"):
        check_dashboards({"a.json": b'{"uid": "a"}', "b.json": b'{"uid": "a"}'})
