"""Grafana on PATH as a part of the native stack, with a small program in its place."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lokikit.stack.grafana.password import grafana_password
from lokikit.stack.grafana.provisioning import provision
from lokikit.stack.native.grafana import find_grafana, grafana_part
from lokikit.stack.native.processes import find_groups
from lokikit.stack.native.stack import bring_up, take_down
from lokikit.stack.native.stack_parts import stack_parts
from lokikit.stack.native.store import StoreChoice

if TYPE_CHECKING:
    from collections.abc import Callable

    Install = Callable[..., dict[str, str]]

LOKI = "http://127.0.0.1:3999"
SERVER = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

with open("grafana.json", "w") as told:
    json.dump({"arguments": sys.argv[1:], "environ": dict(os.environ)}, told)
address = os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"])
HTTPServer(address, Health).serve_forever()
"""


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Install a `grafana` of some version; an environment with it on PATH."""

    def install(version: str = "13.2.3", *, whole: bool = True) -> dict[str, str]:
        home = tmp_path / "usr/grafana"
        (home / "bin").mkdir(parents=True)
        if whole:
            (home / "conf").mkdir()
            (home / "conf/defaults.ini").touch()
        (home / "server.py").write_text(SERVER)
        program = home / "bin/grafana"
        program.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && echo grafana version {version} && exit\n'
            f'exec {sys.executable} {home}/server.py "$@"\n'
        )
        program.chmod(0o755)
        return {"PATH": str(program.parent)}

    return install


def test_no_grafana(tmp_path: Path) -> None:
    """The stack has no such part, and its canary reports no contact points."""
    environ = {"PATH": str(tmp_path), "ALERT_SLACK_URL": "https://x.org"}
    assert find_grafana(environ) is None
    parts = {
        one.name: one
        for one in stack_parts(tmp_path, StoreChoice(LOKI), demo=False, environ=environ)
    }
    assert "grafana" not in parts
    assert parts["canary"].command[-2:] == ("--contact-points", "0")


def test_grafana_on_path(tmp_path: Path, install: Install) -> None:
    """The stack has the part, and its canary reports the number of contact points."""
    environ = install() | {"ALERT_SLACK_URL": "https://x.org"}
    parts = {
        one.name: one
        for one in stack_parts(tmp_path, StoreChoice(LOKI), demo=False, environ=environ)
    }
    assert parts["grafana"].command[0] == f"{environ['PATH']}/grafana"
    assert parts["canary"].command[-2:] == ("--contact-points", "1")


@pytest.mark.parametrize(("version", "whole"), [("10.4.1", True), ("13.2.3", False)])
def test_grafana_of_no_use(install: Install, version: str, whole: bool) -> None:  # noqa: FBT001
    """One that is too old, or lacks its own files, is none."""
    assert find_grafana(install(version, whole=whole)) is None


def test_script_of_a_package_is_left_out(
    tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a package puts on PATH reads /etc/grafana: the program itself is run."""
    home = Path(install()["PATH"]).parent
    script = tmp_path / "sbin/grafana"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\nexit 5\n")
    script.chmod(0o755)
    monkeypatch.setattr("lokikit.stack.native.grafana._SHARED", (str(home),))
    found = find_grafana({"PATH": str(script.parent)})
    assert found
    assert (found.program, found.home) == (home / "bin/grafana", home)


def test_it_is_started(tmp_path: Path, install: Install) -> None:
    """It listens on 127.0.0.1, has the folder and the password, and stays at home."""
    state = tmp_path / "state"
    state.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    environ = install() | {"GRAFANA_PORT": port}
    grafana = find_grafana(environ)
    assert grafana
    folder = provision(state, environ)
    try:
        (output,) = bring_up([grafana_part(grafana, state, LOKI, environ)], state, lambda _: None)
        assert output.healthy, output.last_words
        assert output.where == f"http://127.0.0.1:{port}"
    finally:
        take_down(state)
    assert find_groups(state) == {}
    content = json.loads((state / "grafana.json").read_text())
    assert content["arguments"] == ["server", "--homepath", str(grafana.home)]
    seen = content["environ"]
    assert (seen["GF_SERVER_HTTP_ADDR"], seen["LOKI_URL"]) == ("127.0.0.1", LOKI)
    assert seen["GF_PATHS_PROVISIONING"] == str(folder)
    assert seen["GF_ANALYTICS_REPORTING_ENABLED"] == "false"
    assert seen["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    password = seen["GF_SECURITY_ADMIN_PASSWORD"]
    assert grafana_password(state) not in json.dumps(content)
    assert password == f"$__file{{{state / 'grafana/password'}}}"


def test_changed_contact_points_restart_it(tmp_path: Path, install: Install) -> None:
    """Another way of telling somebody is another setting: Grafana reads its files at the start."""
    environ = install()
    grafana = find_grafana(environ)
    assert grafana
    digests = set()
    for more in ({}, {"ALERT_SLACK_URL": "https://x.org"}, {"ALERT_SLACK_URL": "https://y.org"}):
        provision(tmp_path, environ | more)
        digests.add(grafana_part(grafana, tmp_path, LOKI, environ | more).settings)
    assert len(digests) == 3
