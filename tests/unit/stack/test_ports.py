from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.stack.native.processes import MARK
from lokikit.stack.ports import check_distinct, check_free

ROOT_PORTS = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def test_taken_port_names_port_key_and_holder() -> None:
    """The sentence has the port, the key to change, and the process that listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        with pytest.raises(PrerequisiteError, match=rf"{taken} \(LOKI_PORT\) .* {os.getpid()}\)"):
            check_free([("LOKI_PORT", taken)])


def test_a_port_of_another_stack_names_what_stops_that_stack() -> None:
    """Its watch would start again what is killed."""
    program = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}; input()"],
        env={MARK: "store@/a b/state"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdout
        taken = int(server.stdout.readline())
        fix = r"store of another lokikit stack .* LOKIKIT_STATE='/a b/state' lokikit down\)"
        with pytest.raises(PrerequisiteError, match=fix):
            check_free([("LOKI_PORT", taken)])
        server.communicate(b"\n")


@pytest.mark.skipif(
    not ROOT_PORTS.exists() or int(ROOT_PORTS.read_text()) <= 80 or not shutil.which("setpriv"),
    reason="NO PORT OF ROOT IS TESTED: every port is everybody's here, or setpriv is missing",
)
def test_a_port_that_only_root_may_use_is_not_called_taken() -> None:
    """In a process without the right to it, whoever runs the test."""
    asked = (
        "import sys; from lokikit.stack.ports import check_free; check_free([('PAGE_PORT', 80)])"
    )
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*bare, sys.executable, "-c", asked], capture_output=True, text=True, check=False
    )
    assert "port 80 (PAGE_PORT) cannot be used (Permission denied): set PAGE_PORT" in done.stderr


def test_free_port_passes() -> None:
    """A port that nobody listens on any more passes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    check_free([("LOKI_PORT", free)])


def test_one_port_for_two_keys() -> None:
    """The error names both keys."""
    with pytest.raises(SettingsError, match="LOKI_PORT and DEMO_PORT are both 3100"):
        check_distinct([("LOKI_PORT", 3100), ("DEMO_PORT", 3100)])
