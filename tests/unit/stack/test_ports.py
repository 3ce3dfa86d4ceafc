from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.stack.native.processes import MARK
from lokikit.stack.ports import check_distinct, check_free


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


def test_free_port_passes() -> None:
    """A port that nobody listens on any more passes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    check_free([("LOKI_PORT", free)])


def test_one_port_for_two_keys() -> None:
    """The error names both keys."""
    with pytest.raises(SettingsError, match="LOKI_PORT and DEMO_PORT are both 3100"):
        check_distinct([("LOKI_PORT", 3100), ("DEMO_PORT", 3100)])
