from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lokikit.errors import SettingsError
from lokikit.stack.env_settings import TABLE, check_env, unread_settings
from lokikit.stack.kit_files import kit_env

if TYPE_CHECKING:
    from pathlib import Path

WRONG = {
    "LOKI_RETENTION": ["0", "0h", "0s", "59m", "-1h", "abc", "7", "1h1d", "1.5h", "99999999h"],
    "FLUENTBIT_STORAGE_LIMIT": ["0", "10", "abc", "1T", "9M", "-1G", "1 G", "off"],
    "REGISTRY": ["https://docker.io", "docker.io/", "my registry"],
    "LOKI_VERSION": ["latest!", "3.7 .8", "-v"],
    "GRAFANA_PORT": ["0", "65536", "http"],
}
RIGHT = {
    "LOKI_RETENTION": ["1h", "24h", "168h", "30d", "1w", "1d12h", "90d"],
    "FLUENTBIT_STORAGE_LIMIT": ["10M", "500M", "1G", "20gb", "10000K"],
    "REGISTRY": ["docker.io", "localhost:5000", "registry.example:5000/a/b"],
    "LOKI_VERSION": ["3.7.8", "3.7", "3.7.0-rc.1", "3.7.8-amd64"],
    "PYTHON_VERSION": ["3.14", "3.15.0rc1"],
    "GRAFANA_PORT": ["1", "65535"],
}


def pairs(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Each name with each of its values."""
    return [(name, value) for name, values in table.items() for value in values]


def test_values_of_the_kit_are_valid() -> None:
    check_env({})


def test_each_name_of_the_file_has_its_check() -> None:
    assert {name for name in kit_env({}) if not name.endswith("_PORT")} == set(TABLE)


@pytest.mark.parametrize(("name", "value"), pairs(WRONG))
def test_wrong_value_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}='{value}'"):
        check_env({name: value})


def test_a_wrong_address_of_loki_is_refused_before_anything_starts() -> None:
    with pytest.raises(SettingsError, match="'nonsense' is not the URL of a Loki"):
        check_env({"LOKI_URL": "nonsense"})


@pytest.mark.parametrize("name", sorted(WRONG))
def test_an_empty_value_in_the_shell_leaves_that_of_the_file(name: str) -> None:
    check_env({name: ""})


@pytest.mark.parametrize("name", sorted(WRONG))
def test_an_empty_value_in_the_file_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text(
        "".join(
            f"{key}=\n" if key == name else f"{key}={value}\n" for key, value in kit_env({}).items()
        )
    )
    monkeypatch.setenv("LOKIKIT_KIT", str(tmp_path))
    with pytest.raises(SettingsError, match=f"{name}( is empty|='')"):
        check_env({})


@pytest.mark.parametrize(("name", "value"), pairs(RIGHT))
def test_right_value_is_taken(name: str, value: str) -> None:
    check_env({name: value})


def test_contacts_in_the_file_are_named_as_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ("LOKI_PORT=3100", "ALERT_MAIL_TO=a@example.com", "ALERT_SMTP_HOST=m:25", "DEMO=off")
    (tmp_path / ".env").write_text("\n".join(lines))
    monkeypatch.setenv("LOKIKIT_KIT", str(tmp_path))
    assert unread_settings({"DEMO": "off"}) == (
        "ALERT_MAIL_TO and ALERT_SMTP_HOST in .env have no effect: set them in the environment of "
        "each up."
    )


def test_the_kits_own_file_is_read_whole() -> None:
    assert unread_settings({}) == ""
