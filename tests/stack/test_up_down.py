"""`lokikit up`, `status` and `down` with a store and demo, and `lokikit ship` as agent."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
import requests
from tests.command_line import run_command
from tests.stack.conftest import free_ports
from tests.waiting import eventually

from lokikit.stack.native.grafana import find_grafana
from lokikit.stack.native.processes import MARK, find_groups
from lokikit.stack.native.watch import end_watch, find_watch

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.stack.engines import Engine

ALWAYS = ["canary", *(["grafana"] if find_grafana() else []), "page", "ship"]
DEMO = ["shop", "jobs", "traffic"]


class Stack:
    """A stack of the test's own: its state folder and ports, and the command that drives it.

    Args:
        state: the folder.
        engine: what stores its lines.
    """

    def __init__(self, state: Path, engine: Engine) -> None:
        self.state = state
        self.store = engine.part
        self.pipeline = sorted([*ALWAYS, self.store])
        self._engine = engine
        keys = ("LOKI_PORT", "LOKI_GRPC_PORT", "GRAFANA_PORT", "PAGE_PORT", "DEMO_PORT")
        self.ports = dict(zip(keys, free_ports(len(keys)), strict=True))

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What `lokikit` with `arguments` said and returned."""
        inherited = {name: value for name, value in os.environ.items() if name != "LOKI_URL"}
        own = {name: str(value) for name, value in self.ports.items()}
        chosen = {"RUNTIME": "native", "AGENT": "ship", "STORE": self._engine.name}
        state = {"LOKIKIT_STATE": str(self.state)}
        return run_command(arguments, {**inherited, **state, **chosen, **own, **variables})

    def pids(self) -> dict[str, int]:
        """Part -> its main process."""
        groups = find_groups(self.state)
        return {name: group.leader.pid for name, group in groups.items() if group.leader}

    def end(self) -> None:
        """End what of it runs, first what would start it again."""
        end_watch(self.state)
        for group in find_groups(self.state).values():
            for process in group.members:
                process.kill()

    def services(self) -> list[str]:
        """The services that Loki has lines of."""
        url = f"http://127.0.0.1:{self.ports['LOKI_PORT']}/loki/api/v1/label/service_name/values"
        return list(requests.get(url, timeout=10).json().get("data", []))


@pytest.fixture(scope="module")
def stack(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that the tests bring from state to state, in their order; each begins with `up`.

    What of it runs at the end is ended.
    """
    one = Stack(tmp_path_factory.mktemp("stack") / "state", engine)
    yield one
    one.end()


@pytest.fixture(scope="module")
def elsewhere(stack: Stack) -> dict[str, Path]:
    """Variable -> the home and the temporary folder that the stack is started with."""
    folders = {name: stack.state.with_name(name) for name in ("HOME", "TMPDIR")}
    for folder in folders.values():
        folder.mkdir()
    return folders


@pytest.mark.loki_in_soak
def test_taken_port(stack: Stack) -> None:
    """A taken port is told beforehand with its key, and nothing is started."""
    with socket.create_server(("127.0.0.1", stack.ports["DEMO_PORT"])):
        up = stack.run("up")
    assert up.returncode == 3
    assert f"port {stack.ports['DEMO_PORT']} (DEMO_PORT) is taken by" in up.stderr
    assert len(up.stderr.strip().splitlines()) == 1
    assert find_groups(stack.state) == {}


def test_whole_stack(stack: Stack, elsewhere: dict[str, Path]) -> None:
    """Up brings everything, and the demo's lines reach Loki."""
    cache = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    folders = {name: str(folder) for name, folder in elsewhere.items()}
    up = stack.run("up", XDG_CACHE_HOME=cache, **folders)
    assert up.returncode == 0, up.stdout + up.stderr
    assert f"http://127.0.0.1:{stack.ports['LOKI_PORT']}" in up.stdout
    assert up.stdout.splitlines()[-1].endswith(f"http://127.0.0.1:{stack.ports['PAGE_PORT']}")
    assert [word in up.stdout for word in ("query", "top", "tail", "check")] == [True] * 4
    assert sorted(stack.pids()) == sorted([*stack.pipeline, *DEMO])
    eventually(lambda: {"canary", "shop", "jobs", "traffic"} <= set(stack.services()), within_s=60)
    assert stack.run("status").returncode == 0


@pytest.mark.loki_in_soak
def test_up_again_leaves_all_alone(stack: Stack) -> None:
    """A second up changes no process."""
    stack.run("up")
    before = stack.pids()
    assert stack.run("up").returncode == 0
    assert stack.pids() == before


@pytest.mark.loki_in_soak
def test_killed_parts_come_back_by_themselves(stack: Stack) -> None:
    """Status says how often; a new up begins to count anew."""
    stack.run("up")
    killed = {stack.store, "ship", "shop"}
    before = stack.pids()
    for name in killed:
        os.kill(before[name], signal.SIGKILL)
    eventually(
        lambda: all(stack.pids().get(name) not in {before[name], None} for name in killed),
        within_s=60,
    )
    eventually(lambda: stack.run("status").returncode == 0, within_s=120)
    after, status = stack.pids(), stack.run("status")
    assert {name for name in before if before[name] != after.get(name)} == killed
    for name in killed:
        assert f"{name} died and was started again once, last at" in status.stdout
    stack.run("up")
    assert "started again" not in stack.run("status").stdout


@pytest.mark.loki_in_soak
def test_killed_parts_come_back(stack: Stack) -> None:
    """After the store and the shop's master are killed, status fails and up mends it.

    Where nothing else does: the watch is killed too, which status says.
    """
    stack.run("up")
    (watch,) = find_watch(stack.state)
    watch.kill()
    before = stack.pids()
    for name in (stack.store, "shop"):
        os.kill(before[name], signal.SIGKILL)
    eventually(lambda: not {stack.store, "shop"} & set(stack.pids()))
    status = stack.run("status")
    assert status.returncode == 1
    dead = [line.split()[0] for line in status.stdout.splitlines() if "not running" in line]
    assert dead == [stack.store, "shop"]
    assert "Nothing starts parts again that die" in status.stdout
    assert stack.run("up").returncode == 0
    assert len(find_watch(stack.state)) == 1
    after = stack.pids()
    assert [after[name] for name in ("ship", "jobs")] == [before[name] for name in ("ship", "jobs")]


@pytest.mark.loki_in_soak
def test_down_leaves_no_process(stack: Stack) -> None:
    """Neither what would start parts again, nor Gunicorn workers whose master was killed."""
    stack.run("up")
    os.kill(stack.pids()["shop"], signal.SIGKILL)
    down = stack.run("down")
    assert down.returncode == 0, down.stderr
    assert [one for one in psutil.process_iter() if _marked(one, stack.state)] == []
    assert find_watch(stack.state) == []
    assert find_groups(stack.state) == {}
    assert stack.run("status").returncode == 1


def _marked(process: psutil.Process, state: Path) -> bool:
    try:
        return process.environ().get(MARK, "").endswith(f"@{state}")
    except psutil.Error:
        return False


def test_writes_only_to_its_state(elsewhere: dict[str, Path]) -> None:
    """Neither up nor what it started wrote to the temporary folder or to the home."""
    assert [*elsewhere["HOME"].rglob("*"), *elsewhere["TMPDIR"].rglob("*")] == []


@pytest.mark.loki_in_soak
def test_without_the_demo(stack: Stack) -> None:
    """`--no-demo` and DEMO=off bring the pipeline and its canary alone."""
    assert stack.run("up", "--no-demo").returncode == 0
    assert sorted(stack.pids()) == stack.pipeline
    assert stack.run("up", DEMO="off").returncode == 0
    assert sorted(stack.pids()) == stack.pipeline
    assert stack.run("status").returncode == 0


def test_data_survives_down_and_goes_with_volumes(stack: Stack) -> None:
    """Down keeps what is stored; with --volumes it asks, and removes it only when told so."""
    stack.run("up", "--no-demo")
    stack.run("down")
    data = stack.state / stack.store
    assert any(data.iterdir())
    assert stack.run("down", "--volumes").returncode != 0
    assert any(data.iterdir())
    assert stack.run("down", "--volumes", "--yes").returncode == 0
    assert not data.exists()
