from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from tests.unit.stack.native.test_stack_parts import SLACK, parts

from lokikit.errors import SettingsError
from lokikit.stack.grafana.contacts import Contacts
from lokikit.stack.native.alerts import (
    alerts_part,
    contacts_file,
    grafana_tells,
    kit_contacts,
    read_kit_contacts,
    write_kit_contacts,
)
from lokikit.stack.part_status import Wanted, write_wanted

if TYPE_CHECKING:
    from pathlib import Path

FULL = Contacts(("a@x.org",), "mail:25", "f@x.org", "u", "p", "http://w", "http://s", ("ntfy://t",))


def test_contacts_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_kit_contacts(tmp_path, FULL)
    assert kit_contacts(tmp_path) == FULL


def test_contacts_can_be_read_by_their_owner_alone(tmp_path: Path) -> None:
    write_kit_contacts(tmp_path, FULL)
    file = contacts_file(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_nobody_to_tell_is_no_part_and_leaves_no_file(tmp_path: Path) -> None:
    write_kit_contacts(tmp_path, FULL)
    write_kit_contacts(tmp_path, Contacts())
    assert not contacts_file(tmp_path).exists()
    assert kit_contacts(tmp_path) == Contacts()
    assert "alerts" not in parts(tmp_path)


def test_alerts_are_a_part_whatever_the_shell_has_set(tmp_path: Path) -> None:
    write_kit_contacts(tmp_path, SLACK)
    made = parts(tmp_path)
    assert "store" in made["alerts"].needs
    assert made["canary"].command[-1] == "1"


def test_secrets_are_in_no_command_and_no_environment(tmp_path: Path) -> None:
    write_kit_contacts(tmp_path, SLACK)
    part = parts(tmp_path)["alerts"]
    assert "hooks.slack.com" not in f"{part.command}{part.variables}"


def test_other_contacts_are_another_setting(tmp_path: Path) -> None:
    write_kit_contacts(tmp_path, SLACK)
    before = parts(tmp_path)["alerts"].settings
    write_kit_contacts(tmp_path, FULL)
    assert parts(tmp_path)["alerts"].settings != before


def test_file_that_means_nothing_is_named(tmp_path: Path) -> None:
    file = tmp_path / "contacts.json"
    file.write_text("{}")
    with pytest.raises(SettingsError, match=r"contacts\.json"):
        read_kit_contacts(file)


def test_part_is_healthy_while_its_file_is_touched(tmp_path: Path) -> None:
    part = alerts_part(tmp_path, "http://loki")
    assert not part.healthy()
    (tmp_path / "alerts").mkdir()
    (alive,) = part.stale
    alive.touch()
    assert part.healthy()
    os.utime(alive, (1, 1))
    assert not part.healthy()


def test_docker_stack_has_a_grafana_that_tells(tmp_path: Path) -> None:
    assert not grafana_tells(tmp_path)
    write_wanted(tmp_path, Wanted(demo=False))
    assert not grafana_tells(tmp_path)
    write_wanted(tmp_path, Wanted(demo=False, runtime="docker"))
    assert grafana_tells(tmp_path)
