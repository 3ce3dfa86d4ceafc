"""docs/testing.md as the tests of a service: the fixtures `logged` and `loki`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil
from tests.stack.documents import blocks

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


pytest_plugins = "pytester"

WHERE = """

def test_where_it_is(loki):
    print(f"it was at {loki.url}")
"""


def test_a_real_loki_for_the_session(
    pytester: pytest.Pytester, loki_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's tests pass, on a real Loki that is gone when the session ends."""
    # The session has a home of its own, and would build the program there.
    monkeypatch.setenv("PATH", f"{loki_program.parent}{os.pathsep}{os.environ['PATH']}")
    pytester.makepyfile("\n".join([*blocks("testing.md", "python"), WHERE]))
    done = pytester.runpytest_subprocess("-s", timeout=200)
    done.assert_outcomes(passed=4)
    (url,) = (line.split()[-1] for line in done.outlines if "it was at" in line)
    port = int(url.rpartition(":")[2].rstrip("."))
    listening = {one.laddr.port for one in psutil.net_connections("tcp") if one.laddr}
    assert port not in listening
