"""The fixture `loki` of the pytest plugin, in a session of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


pytest_plugins = "pytester"

TESTS = """
import logging, os
import lokikit

def test_what_is_logged_is_in_loki(loki, tmp_path_factory):
    handler = lokikit.LokiHandler(loki.url, service="api", env="test")
    logger = logging.getLogger("shop")
    logger.addHandler(handler)
    logger.error("no stock", extra={"order": 17})
    handler.flush()
    logger.removeHandler(handler)
    handler.close()
    (entry,) = loki.logs(service="api").where(level="error", order=17).all()
    assert entry.fields["message"] == "no stock"

def test_it_is_the_same_loki_all_along(loki):
    assert loki.last("api", n=1)[0].fields["order"] == 17
    print(f"it was at {loki.url}")
"""


def test_a_real_loki_for_the_session(
    pytester: pytest.Pytester, loki_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a service logs is found in a real Loki, which is gone when the session ends."""
    # The session has a home of its own, and would build the program there.
    monkeypatch.setenv("PATH", f"{loki_program.parent}{os.pathsep}{os.environ['PATH']}")
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_subprocess("-s", timeout=200)
    done.assert_outcomes(passed=2)
    (url,) = (line.split()[-1] for line in done.outlines if "it was at" in line)
    port = int(url.rpartition(":")[2].rstrip("."))
    listening = {one.laddr.port for one in psutil.net_connections("tcp") if one.laddr}
    assert port not in listening
