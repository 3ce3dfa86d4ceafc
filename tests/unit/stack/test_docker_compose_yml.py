"""The Compose file, the image and the settings around them, without a daemon."""

from __future__ import annotations

import re
from importlib.metadata import requires
from typing import TYPE_CHECKING

from lokikit.stack.compose_file import built_image, filled, pulled_images, read_compose_file
from lokikit.stack.docker.compose import MOUNTED, Compose, digest
from lokikit.stack.docker.services import AGENT, AGENT_STORAGE, DEMO_SERVICES, stack_services
from lokikit.stack.grafana.password import grafana_password
from lokikit.stack.kit_files import kit_env, kit_root

if TYPE_CHECKING:
    from pathlib import Path

SERVICES = read_compose_file()["services"]
OF_THE_IMAGE = re.compile(r"^[^;]*$|extra == .(?:push|client|demo)\b")
"""A requirement of the package itself, or of an extra that the image is installed with."""


def text() -> str:
    """The Compose file as it stands."""
    return (kit_root() / "docker-compose.yml").read_text()


def test_no_version_but_from_the_settings() -> None:
    """Every image has its registry and its version from `.env`."""
    for name in pulled_images({"REGISTRY": "R", **_marked("VERSION")}):
        assert re.fullmatch(r"R/[a-z/-]+:\w+_VERSION", name), name
    assert built_image(_marked("VERSION")) == "lokikit:LOKIKIT_VERSION"


def _marked(ending: str) -> dict[str, str]:
    return {key: key for key in kit_env({}) if key.endswith(ending)}


def test_no_port_but_from_the_settings() -> None:
    """Every published port is on 127.0.0.1, and is a key of `.env`."""
    ports = [port for one in SERVICES.values() for port in one.get("ports", ())]
    found = [re.fullmatch(r"127\.0\.0\.1:\$\{(\w+)\}:\d+", port) for port in ports]
    assert all(found), ports
    assert {one[1] for one in found if one} <= set(kit_env({}))


def test_ports_are_those_that_are_shown() -> None:
    """What `up` says of a service is what is published of it."""
    for one in stack_services(demo=True, environ={}):
        entries = [filled(port, {}) for port in SERVICES[one.name].get("ports", ())]
        assert [int(port.split(":")[1]) for port in entries] == list(one.ports.values()), one.name


def test_every_service_is_watched() -> None:
    """Each service is one that `up` waits for, but those that only prepare a volume or look."""
    watched = {one.name for one in stack_services(demo=True, environ={})}
    assert set(SERVICES) - watched == {"fluent-bit-storage", "spool"}
    profiles = {name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one}
    assert profiles == {**{name: ["demo"] for name in DEMO_SERVICES}, "spool": ["spool"]}


def test_storage_of_the_agent_is_its_volume() -> None:
    """What `status` reads is where the agent writes, and `spool` looks into the same volume."""
    agent, spool = SERVICES[AGENT], SERVICES["spool"]
    assert agent["environment"]["FLUENTBIT_STORAGE"] == AGENT_STORAGE
    (volume,) = (one for one in agent["volumes"] if one.endswith(f":{AGENT_STORAGE}"))
    assert f"{volume.partition(':')[0]}:{spool['command'][-1]}" in spool["volumes"]


def test_every_variable_has_a_value() -> None:
    """What the file asks for is in `.env`, has a default, or is passed on as it is."""
    asked = set(re.findall(r"\$\{(\w+)\}", text()))
    assert asked <= set(kit_env({}))


def test_configuration_is_mounted_read_only_and_watched() -> None:
    """What is mounted from the kit is read-only, there, and part of the digest that restarts."""
    mounts = [one for service in SERVICES.values() for one in service.get("volumes", ())]
    ours = [one.split(":") for one in mounts if str(one).startswith("./")]
    assert {tuple(one[2:]) for one in ours} == {("ro",)}
    assert {one[0].removeprefix("./") for one in ours} == set(MOUNTED.values())
    assert [path for path in MOUNTED.values() if not (kit_root() / path).exists()] == []


def test_configuration_made_in_the_state_is_mounted_read_only() -> None:
    """Grafana is provisioned from the folder that was checked, and may not change it."""
    (made,) = (one for one in SERVICES["grafana"]["volumes"] if isinstance(one, dict))
    assert made["read_only"]
    assert made["source"].endswith("}/grafana/provisioning")


def test_mail_is_told_to_grafana(tmp_path: Path) -> None:
    """Addresses of mails are in Grafana's environment, the password is in a file."""
    values = {"ALERT_MAIL_TO": "a@example.com", "ALERT_SMTP_HOST": "mail.example.com:587"}
    login = {"ALERT_SMTP_USER": "me", "ALERT_SMTP_PASSWORD": "secret"}
    variables = Compose((), tmp_path, {**values, **login}).variables()
    assert variables["GF_SMTP_HOST"] == "mail.example.com:587"
    assert "{/run/secrets/smtp-password}" in variables["GF_SMTP_PASSWORD"]
    assert variables["CONTACT_POINTS"] == "1"
    passed_on = SERVICES["grafana"]["environment"]
    assert {name for name in variables if name.startswith("GF_")} <= set(passed_on)
    assert "GF_SMTP_HOST" not in Compose((), tmp_path, {}).variables()


def test_digest_changes_with_any_file(tmp_path: Path) -> None:
    """Another content or another name anywhere below is another digest."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_text("1")
    seen = {digest([tmp_path])}
    (tmp_path / "a/one").write_text("2")
    seen.add(digest([tmp_path]))
    (tmp_path / "a/one").rename(tmp_path / "a/two")
    seen.add(digest([tmp_path]))
    assert len(seen) == 3


def test_password_is_made_once(tmp_path: Path) -> None:
    """The second call tells what the first one made; another state has another one."""
    first = grafana_password(tmp_path / "one")
    assert grafana_password(tmp_path / "one") == first
    assert grafana_password(tmp_path / "two") != first


def test_image_pins_every_dependency() -> None:
    """Whatever the package needs of the image is pinned by version and hash."""
    declared = [one for one in requires("lokikit") or () if OF_THE_IMAGE.search(one)]
    needed = ["hatchling", *declared]
    pinned = (kit_root() / "deploy/compose/requirements.txt").read_text()
    for one in needed:
        name = re.match(r"[\w-]+", one)
        assert name
        assert re.search(rf"^{name[0]}==\S+.*\\\n    --hash=sha256:", pinned, re.MULTILINE), one


def test_context_holds_what_the_package_carries() -> None:
    """The build context has every file that the wheel in the image is made of."""
    ignored = (kit_root() / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    hook = (kit_root() / "pylib/hatch_build.py").read_text()
    found = re.search(r"KIT_FILES = \((.*?)\)", hook, re.DOTALL)
    assert found
    carried = {name.split("/")[0] for name in re.findall(r'"([^"]+)"', found[1])}
    assert allowed == {*carried, "pylib"}
