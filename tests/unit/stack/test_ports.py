from __future__ import annotations

import os
import socket

import pytest

from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.stack.ports import check_distinct, check_free


def test_taken_port_names_port_key_and_holder() -> None:
    """The sentence has the port, the key to change, and the process that listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        with pytest.raises(PrerequisiteError, match=rf"{taken} \(LOKI_PORT\) .* {os.getpid()}\)"):
            check_free([("LOKI_PORT", taken)])


def test_free_port_passes() -> None:
    """A port that nobody listens on any more passes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    check_free([("LOKI_PORT", free)])


def test_one_port_for_two_keys() -> None:
    """The error names both keys."""
    with pytest.raises(SettingsError, match="LOKI_PORT and DEMO_PORT are both 3100"):
        check_distinct([("LOKI_PORT", 3100), ("DEMO_PORT", 3100)])
