"""Which agent carries the files of the native stack."""

from __future__ import annotations

import glob
from pathlib import Path

import pytest

from lokikit.errors import SettingsError
from lokikit.stack.native.agent import FLUENT_BIT, SHIP, agent_part, choose_agent

URL = "http://127.0.0.1:3100"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Put a program on an otherwise empty PATH that says it is Fluent Bit of some version."""

    def install(version: str) -> None:
        program = tmp_path / "bin" / "fluent-bit"
        program.write_text(f"#!/bin/sh\necho Fluent Bit v{version}\n")
        program.chmod(0o755)

    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return install


def test_ship_where_there_is_no_fluent_bit(tmp_path: Path, install: object) -> None:
    """A machine with nothing but Python still has an agent."""
    del install
    assert choose_agent(tmp_path, {}) == (SHIP, "no Fluent Bit 5 on PATH")


def test_fluent_bit_where_there_is_one(tmp_path: Path, install) -> None:
    """The same agent as on a cluster, with the same configuration."""
    install("5.1.1")
    assert choose_agent(tmp_path, {})[0] == FLUENT_BIT
    part = agent_part(tmp_path, URL, {})
    assert part.command[0] == str(tmp_path / "bin" / "fluent-bit")
    assert part.variables["LOKI_PORT"] == "3100"


def test_split_files_are_a_setting(tmp_path: Path, install) -> None:
    """`up` restarts the agent when they are switched on or off."""
    install("5.1.1")
    on = agent_part(tmp_path, URL, {"FLUENTBIT_SPLIT_DIR": "/var/log/lokikit"})
    assert on.variables["FLUENTBIT_SPLIT_DIR"] == "/var/log/lokikit"
    assert on.settings != agent_part(tmp_path, URL, {}).settings


def test_an_old_fluent_bit_is_none(tmp_path: Path, install) -> None:
    """Its configuration knows other words."""
    install("3.2.1")
    assert choose_agent(tmp_path, {})[0] == SHIP


def test_who_has_carried_the_files_goes_on(tmp_path: Path, install) -> None:
    """Another agent would send all of them again."""
    install("5.1.1")
    (tmp_path / "ship").mkdir()
    (tmp_path / "ship/stack.json").write_text("{}")
    assert choose_agent(tmp_path, {})[0] == SHIP
    (tmp_path / "fluent-bit").mkdir()
    (tmp_path / "fluent-bit/files.db").write_text("")
    assert choose_agent(tmp_path, {})[0] == FLUENT_BIT


def test_the_agent_leaves_the_positions_of_a_ship_by_hand_alone(tmp_path: Path, install) -> None:
    """Only one process may hold them, and `lokikit ship FILES` runs beside the stack."""
    del install
    by_hand = str(tmp_path / "ship/positions.json")
    assert by_hand not in agent_part(tmp_path, URL, {}).command


def test_agent_forces_one(tmp_path: Path, install) -> None:
    """Whatever is on PATH."""
    install("5.1.1")
    assert choose_agent(tmp_path, {"AGENT": "ship"})[0] == SHIP
    assert agent_part(tmp_path, URL, {"AGENT": "ship"}).name == SHIP


@pytest.mark.parametrize(("asked", "says"), [("logstash", "use auto"), ("fluent-bit", "on PATH")])
def test_what_cannot_be_had_is_refused(
    tmp_path: Path, install: object, asked: str, says: str
) -> None:
    """The error names the fix."""
    del install
    with pytest.raises(SettingsError, match=says):
        choose_agent(tmp_path, {"AGENT": asked})


def test_fluent_bit_sends_to_a_loki_elsewhere(tmp_path: Path, install) -> None:
    """TLS, tenant and user are those of the command line."""
    install("5.1.1")
    environ = {"LOKI_ORG_ID": "team-a", "LOKI_USERNAME": "me"}
    result = agent_part(tmp_path, "https://loki.example", environ).variables
    expected = {"LOKI_HOST": "loki.example", "LOKI_PORT": "443", "LOKI_TLS": "on"}
    assert expected.items() <= result.items()
    assert (result["LOKI_TENANT"], result["LOKI_USER"]) == ("team-a", "me")


@pytest.mark.parametrize(("path", "sent"), [("", ""), ("/", ""), ("/logs", "/logs")])
def test_fluent_bit_sends_to_a_path(tmp_path: Path, install, path: str, sent: str) -> None:
    install("5.1.1")
    part = agent_part(tmp_path, f"https://loki.example{path}", {})
    assert part.variables["LOKI_PATH"] == sent


@pytest.mark.parametrize(
    ("environ", "trusted"),
    [
        ({}, None),
        ({"REQUESTS_CA_BUNDLE": "/company.pem"}, "/company.pem"),
        ({"REQUESTS_CA_BUNDLE": "/company.pem", "LOKI_CA_FILE": "/own.pem"}, "/own.pem"),
        ({"REQUESTS_CA_BUNDLE": "company.pem"}, str(Path("company.pem").absolute())),
        ({"REQUESTS_CA_BUNDLE": "/"}, None),
    ],
    ids=["system", "of the commands", "its own", "named from here", "a folder"],
)
def test_fluent_bit_trusts_what_the_commands_trust(
    tmp_path: Path, install, environ: dict[str, str], trusted: str | None
) -> None:
    install("5.1.1")
    variables = agent_part(tmp_path, "https://loki.example", environ).variables
    assert variables.get("LOKI_CA_FILE") == trusted


@pytest.mark.parametrize("name", ["a,b", "a[1]", "a*", "a?", "{a}"])
def test_fluent_bit_in_a_folder_that_it_cannot_follow_is_refused(
    tmp_path: Path, install, name: str
) -> None:
    install("5.1.1")
    with pytest.raises(SettingsError, match="LOKIKIT_STATE"):
        agent_part(tmp_path / name, URL, {"AGENT": FLUENT_BIT})


def test_fluent_bit_follows_folders_with_blanks(tmp_path: Path, install) -> None:
    install("5.1.1")
    assert agent_part(tmp_path / "my state", URL, {"AGENT": FLUENT_BIT}).name == FLUENT_BIT


def test_ship_follows_a_folder_with_brackets(tmp_path: Path) -> None:
    services = tmp_path / "a[1],*/logs/services"
    services.mkdir(parents=True)
    (log := services / "shop.log").write_text("")
    pattern = agent_part(tmp_path / "a[1],*", URL, {"AGENT": SHIP}).command[4]
    assert glob.glob(pattern) == [str(log)]  # noqa: PTH207 - as ship expands it
