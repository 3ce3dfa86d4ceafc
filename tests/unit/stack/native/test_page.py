from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.stack.kit_files import kit_root
from lokikit.stack.native.page import PAGE_MODULES, page_part
from lokikit.stack.native.stack import STOP_ORDER
from lokikit.stack.programs import missing_packages

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_page_asks_the_loki_of_its_stack_and_knows_its_state(tmp_path: Path) -> None:
    environ = {"LOKI_URL": "http://elsewhere", "PAGE_PORT": "3999"}
    part = page_part(tmp_path, "http://127.0.0.1:3100", environ)
    own = {"LOKI_URL": "http://127.0.0.1:3100", "LOKIKIT_STATE": str(tmp_path)}
    assert part.variables == {**own, "LOKIKIT_KIT": str(kit_root())}
    assert part.where == "http://127.0.0.1:3999"
    assert part.ports == {"PAGE_PORT": 3999}


def test_the_page_stops_before_the_store() -> None:
    assert "page" in STOP_ORDER[0]


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_packages(PAGE_MODULES) == []
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert missing_packages(PAGE_MODULES) == list(PAGE_MODULES)
