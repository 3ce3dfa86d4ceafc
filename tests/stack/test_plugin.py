"""docs/testing.md as the tests of a service: the fixtures `logged` and `loki`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
from tests.stack.documents import blocks

if TYPE_CHECKING:
    import pytest


pytest_plugins = "pytester"

WHERE = """

def test_where_it_is(loki):
    print(f"it was at {loki.url}")
"""


def test_loki_of_the_session_is_gone_afterwards(pytester: pytest.Pytester) -> None:
    """The page's tests pass, on a store that ends with the session."""
    pytester.makepyfile("\n".join([*blocks("testing.md", "python"), WHERE]))
    done = pytester.runpytest_subprocess("-s", timeout=200)
    done.assert_outcomes(passed=6)
    (url,) = (line.split()[-1] for line in done.outlines if "it was at" in line)
    port = int(url.rpartition(":")[2].rstrip("."))
    listening = {one.laddr.port for one in psutil.net_connections("tcp") if one.laddr}
    assert port not in listening


def test_loki_of_the_option_is_used(pytester: pytest.Pytester, loki_url: str) -> None:
    """The page's tests pass on it too."""
    pytester.makepyfile("\n".join([*blocks("testing.md", "python"), WHERE]))
    done = pytester.runpytest_subprocess("-s", f"--loki-url={loki_url}", timeout=200)
    done.assert_outcomes(passed=6)
    assert f"it was at {loki_url}" in done.stdout.str()
