"""`lokikit up` on a machine without Docker: Fluent Bit is the agent, and tells its numbers."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pytest
import requests
from tests.agent.feeding import File, json_lines
from tests.agent.splitting import block, lines_of
from tests.stack.conftest import free_ports
from tests.stack.pushing import new_service, stored_numbers
from tests.stack.test_up_down import DEMO, Stack
from tests.waiting import eventually

from lokikit.stack.native.processes import find_groups
from lokikit.stack.native.watch import find_watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.engines import Engine

AGENT_PORTS = ("FLUENTBIT_HTTP_PORT", "FLUENTBIT_ADMIN_PORT")
AUTO = {"AGENT": "auto"}
NUMBERS = re.compile(
    r"Agent: (\d+) in, (\d+) out, 0 retried, 0 dropped, 0 dead letters, "
    r"\d+ bytes buffered, oldest \d+ s\."
)


@pytest.fixture(scope="module")
def stack(
    engine: Engine, fluent_bit: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A stack that both tests bring up as they need it; what of it runs at the end is ended."""
    assert fluent_bit.is_file()
    one = Stack(tmp_path_factory.mktemp("stack") / "state", engine)
    one.ports |= zip(AGENT_PORTS, free_ports(len(AGENT_PORTS)), strict=True)
    yield one
    one.end()


def test_whole_stack(stack: Stack, folder: Path) -> None:
    """It is taken where it is on PATH; lines of the demo and of every way in arrive by it.

    It writes split files too where `up` is told so as their page tells it.
    """
    switch = re.search(r"^(\w+)=~/split make up$", block("~/split"), re.MULTILINE)
    assert switch
    up = stack.run("up", **AUTO, **{switch[1]: str(folder)})
    assert up.returncode == 0, up.stdout + up.stderr
    expected = [part if part != "ship" else "fluent-bit" for part in (*stack.pipeline, *DEMO)]
    assert sorted(stack.pids()) == sorted(expected)
    assert "fluent-bit is on PATH" in " ".join(up.stdout.split())
    eventually(lambda: {"shop", "jobs", "traffic"} <= set(stack.services()), within_s=60)
    assert lines_of(folder / "info.log")
    check = stack.run("check", **AUTO)
    assert check.returncode == 0, check.stdout + check.stderr
    assert re.findall(r"^(\w+) +ok", check.stdout, re.MULTILINE) == ["push", "agent"]
    posts = f"http://127.0.0.1:{stack.ports['FLUENTBIT_HTTP_PORT']}/logs"
    requests.post(posts, json={"service": "posts", "message": "x"}, timeout=10).raise_for_status()
    eventually(lambda: "posts" in stack.services())
    status = stack.run("status", **AUTO)
    assert status.returncode == 0, status.stdout + status.stderr
    match = NUMBERS.search(status.stdout)
    assert match, status.stdout
    assert int(match[1]) >= int(match[2]) > 0


def test_a_killed_agent(stack: Stack) -> None:
    """Status fails and up mends it; lines written meanwhile arrive, each once."""
    stack.run("up", "--no-demo", **AUTO)
    (watch,) = find_watch(stack.state)  # which would mend it too
    watch.kill()
    service, url = new_service(), f"http://127.0.0.1:{stack.ports['LOKI_PORT']}"
    source = File(stack.state / "logs/services", service)
    source.write(json_lines(service, 5))
    eventually(lambda: len(stored_numbers(url, service)) == 5)
    os.kill(stack.pids()["fluent-bit"], signal.SIGKILL)
    eventually(lambda: "fluent-bit" not in stack.pids())
    source.write(json_lines(service, 5, start=5))
    assert stack.run("status", **AUTO).returncode == 1
    assert stack.run("up", "--no-demo", **AUTO).returncode == 0
    eventually(lambda: len(stored_numbers(url, service)) == 10)
    assert stored_numbers(url, service).total() == 10
    assert stack.run("down", **AUTO).returncode == 0
    assert find_groups(stack.state) == {}
