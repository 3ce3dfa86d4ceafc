"""A line that is longer than Fluent Bit's buffer of 4 MiB costs its own end, and no other line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from tests.agent.pods import Pods, following
from tests.agent.test_contract import ENTRIES, carriers
from tests.stack.pushing import new_service
from tests.stack.shipping import append, stored
from tests.waiting import eventually

from lokikit.fields import MAX_LINE_BYTES, TRUNCATED
from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.agent.pods import ApiServer
    from tests.agent.running import RunningAgent

    from lokikit.query.results import LogEntry

MIB = 1024 * 1024


@pytest.mark.parametrize("mib", [4, 5, 20])
def test_the_file_is_read_on(
    loki_url: str, make_agent: Callable[..., RunningAgent], mib: int
) -> None:
    service = new_service()
    agent = make_agent(loki_url)
    file = agent.logs / f"{service}.log"
    append(file, [b"before", b"x" * mib * MIB, b"after", b"y" * mib * MIB, b"end"])
    agent.start()
    entries = eventually(lambda: all_of(loki_url, service, 5), within_s=60)
    cut = {"x" * MAX_LINE_BYTES, "y" * MAX_LINE_BYTES}
    assert {entry.line for entry in entries} == {"before", "after", "end", *cut}
    assert {entry.line for entry in entries if TRUNCATED in entry.metadata} == cut
    append(file, [b"later"])
    eventually(lambda: all_of(loki_url, service, 6))
    assert eventually(lambda: agent.numbers().cut) == len(cut)


def test_a_restart_goes_on_behind_it(
    loki_url: str, make_agent: Callable[..., RunningAgent]
) -> None:
    service = new_service()
    agent = make_agent(loki_url)
    file = agent.logs / f"{service}.log"
    append(file, [b"x" * 9 * MIB, b"after"])
    agent.start()
    eventually(lambda: all_of(loki_url, service, 2), within_s=60)
    agent.stop()
    append(file, [b"later"])
    agent.start()
    entries = eventually(lambda: all_of(loki_url, service, 3))
    assert sorted(entry.line for entry in entries) == ["after", "later", "x" * MAX_LINE_BYTES]


def all_of(url: str, service: str, count: int) -> list[LogEntry]:
    """The entries of `service`, once there are as many."""
    found = stored(url, service)
    return found if len(found) >= count else []


@pytest.mark.parametrize("way", ["driver", "docker-files"])
def test_a_container_is_read_on(
    loki_url: str, make_agent: Callable[..., RunningAgent], tmp_path: Path, way: str
) -> None:
    service = new_service()
    agent = make_agent(loki_url, ENTRIES[way], FLUENTBIT_CONTAINERS=str(tmp_path)).start()
    with contextlib.ExitStack() as closing:
        (carrier,) = carriers(way, agent, tmp_path, [service], closing)
        for line in (b"before", b"x" * 5 * MIB, b"after"):
            carrier.send(line)
        eventually(lambda: {"before", "after"} <= lines_of(loki_url, service), within_s=60)
    agent.stop()
    long = lines_of(loki_url, service) - {"before", "after"}
    assert all(set(line) == {"x"} for line in long)
    assert "x" * MAX_LINE_BYTES in long


def test_a_pod_is_read_on(
    loki_url: str, api: ApiServer, make_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    folder, service = tmp_path / "pods", new_service()
    make_agent(loki_url, "kubernetes", **following(folder, api.url)).start()
    pods = Pods(api, folder, Loki(loki_url))
    pod = pods.prints("before", labels={"app": service})
    (file,) = folder.glob(f"*_{pod}_*/main/0.log")
    pods.write(file, "x" * 5 * MIB)
    pods.write(file, "after")
    eventually(lambda: {"before", "after"} <= lines_of(loki_url, service), within_s=60)
    assert "x" * MAX_LINE_BYTES in lines_of(loki_url, service)


def lines_of(url: str, service: str) -> set[str]:
    """The lines of `service`."""
    return {entry.line for entry in stored(url, service)}
