from __future__ import annotations

from pathlib import Path

import pytest

from lokikit.stack.native.processes import inherited_environment


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "127.0.0.1,localhost"),
        ("intern.example", "intern.example,127.0.0.1,localhost"),
        ("*", "*"),
        ("localhost,127.0.0.1", "localhost,127.0.0.1"),
    ],
)
def test_parts_reach_each_other_without_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, before: str, after: str
) -> None:
    for each in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, before)
    assert inherited_environment()[name] == after


def test_parts_find_a_kit_that_is_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/.env").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOKIKIT_KIT", "mine")
    assert inherited_environment()["LOKIKIT_KIT"] == str(tmp_path / "mine")


def test_parts_find_certificates_that_are_named_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "company.pem")
    monkeypatch.setenv("CURL_CA_BUNDLE", "")
    environ = inherited_environment()
    assert environ["REQUESTS_CA_BUNDLE"] == str(Path("company.pem").absolute())
    assert not environ["CURL_CA_BUNDLE"]
