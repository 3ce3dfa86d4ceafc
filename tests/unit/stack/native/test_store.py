from __future__ import annotations

import http.server
import threading
from typing import TYPE_CHECKING

import pytest

from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.stack.native import store
from lokikit.stack.native.store import EMBEDDED_PART, LOKI_PART, choose_store, remembered_store
from lokikit.stack.part_status import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWN = "http://127.0.0.1:3100"


@pytest.fixture
def with_loki(tmp_path: Path) -> dict[str, str]:
    """An environment with a `loki` that accepts every configuration."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "loki"
    program.write_text("#!/bin/sh\necho loki, version 3.7.6\n")
    program.chmod(0o755)
    return {"PATH": str(folder)}


@pytest.fixture
def answering() -> Iterator[int]:
    """The port of a server that says it is ready."""

    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Ready)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_loki_of_loki_url_comes_first(tmp_path: Path, with_loki: dict[str, str]) -> None:
    choice = choose_store(tmp_path, with_loki | {"LOKI_URL": "http://loki.example"})
    assert (choice.part, choice.url) == ("", "http://loki.example")
    assert str(choice) == "http://loki.example (LOKI_URL names it)"


def test_loki_on_path_comes_second(tmp_path: Path, with_loki: dict[str, str]) -> None:
    choice = choose_store(tmp_path, with_loki)
    program = f"{with_loki['PATH']}/loki"
    assert (choice.part, choice.url, str(choice.program)) == (LOKI_PART, OWN, program)
    assert str(choice) == f"Loki 3.7.6 ({program} is on PATH)"


def test_embedded_store_comes_last(tmp_path: Path) -> None:
    choice = choose_store(tmp_path, {"PATH": ""})
    assert (choice.part, choice.url) == (EMBEDDED_PART, OWN)
    assert str(choice) == "embedded (no Loki on PATH)"


def test_lines_in_the_embedded_store_keep_it(tmp_path: Path, with_loki: dict[str, str]) -> None:
    """A Loki that is installed later has none of them."""
    (tmp_path / EMBEDDED_PART).mkdir()
    (tmp_path / EMBEDDED_PART / "streams.log").touch()
    assert choose_store(tmp_path, with_loki).part == EMBEDDED_PART
    assert choose_store(tmp_path, with_loki | {"STORE": "loki"}).part == LOKI_PART


def test_own_address_in_loki_url_is_the_store_to_start(tmp_path: Path) -> None:
    """A shell often exports the address of the stack, for the services that push to it."""
    for url in (OWN, "http://localhost:3100/"):
        assert choose_store(tmp_path, {"PATH": "", "LOKI_URL": url}).part == EMBEDDED_PART


def test_loki_of_the_user_at_the_own_address_is_used(tmp_path: Path, answering: int) -> None:
    url = f"http://127.0.0.1:{answering}"
    environ = {"PATH": "", "LOKI_URL": url, "LOKI_PORT": str(answering)}
    assert choose_store(tmp_path, environ).part == ""


@pytest.mark.parametrize(("asked", "part"), [("embedded", EMBEDDED_PART), ("loki", LOKI_PART)])
def test_store_forces_a_program_of_this_machine(
    tmp_path: Path, with_loki: dict[str, str], asked: str, part: str
) -> None:
    environ = with_loki | {"STORE": asked, "LOKI_URL": "http://loki.example"}
    choice = choose_store(tmp_path, environ)
    assert (choice.part, choice.url) == (part, OWN)
    assert choice.reason == "STORE asks for it"


def test_forced_loki_that_is_missing_names_the_fix(tmp_path: Path) -> None:
    expected = r"STORE=loki: no Loki on PATH: put Loki 3\.4 or newer there, or leave STORE out"
    with pytest.raises(SettingsError, match=expected):
        choose_store(tmp_path, {"PATH": "", "STORE": "loki"})


def test_unknown_store_is_refused_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="STORE='duck' is no store: use auto, loki or embedded"):
        choose_store(tmp_path, {"PATH": "", "STORE": "duck"})


def test_missing_extra_names_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "STORE_MODULES", ("duckdb", "no_such_module"))
    expected = r"\(no_such_module missing\): pip install 'lokikit\[store\]'"
    with pytest.raises(PrerequisiteError, match=expected):
        choose_store(tmp_path, {"PATH": ""})


def test_status_knows_the_store_of_the_last_up() -> None:
    """Whatever the environment of the shell that asks says."""
    wanted = Wanted(demo=True, store="", loki_url="http://loki.example")
    assert remembered_store(wanted, {"LOKI_URL": OWN}).url == "http://loki.example"
    assert remembered_store(Wanted(demo=True, store=EMBEDDED_PART), {}).url == OWN
