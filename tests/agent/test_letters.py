"""What Loki refuses of the agent is kept, shown, and sent again by hand."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

import requests
from tests.agent.feeding import File, json_lines
from tests.stack.asking import run
from tests.stack.pushing import new_service
from tests.stack.shipping import line_at, stored
from tests.waiting import eventually

from lokikit.spool.fluentbit_chunks import rejected_paths
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.agent.running import RunningAgent
    from tests.stack.engines import Running

    MakeAgent = Callable[..., RunningAgent]

VALID = 3
AHEAD_S = 1800
"""More than the kit's Loki lets a clock be ahead."""
PATIENT = {"creation_grace_period": "2h"}


def early_line(service: str) -> str:
    """A line that the kit's Loki refuses."""
    return line_at(service, time.time_ns() // 1_000 + AHEAD_S * 1_000_000, 7).decode()


def stored_lines(url: str, service: str) -> list[str]:
    """The lines of `service` in Loki, by time."""
    return [entry.line for entry in stored(url, service)]


def refused(agent: RunningAgent, service: str) -> list[str]:
    """The lines of a chunk that Loki has refused, the first of them the one it refused for."""
    lines = [early_line(service), *json_lines(service, VALID)]
    File(agent.logs, service).write(lines)
    eventually(lambda: agent.numbers().dead == len(lines))
    return lines


def test_a_refused_chunk(
    loki_url: str, make_loki: Callable[..., Running], make_agent: MakeAgent
) -> None:
    """It outlasts the agent, is listed and replayed; what is refused again has its reason.

    Once Loki takes it, it arrives, and nothing is twice.
    """
    service = new_service()
    agent = make_agent(loki_url).start()
    lines = refused(agent, service)
    agent.kill()
    agent.start()
    listed = run(loki_url, "spool", "ls", str(agent.storage))
    assert listed.returncode == 0
    assert f"{len(lines)} lines in 1 chunk that Loki refused." in listed.stdout
    agent.kill()

    replay = ("spool", "replay", str(agent.storage), "--dead-letters", "--host", "test-host")
    again = run(loki_url, *replay)
    assert again.returncode == 1
    assert f"{VALID} entries delivered to {loki_url}, 1 refused, 0 left, 1 dead" in again.stdout
    assert stored_lines(loki_url, service) == lines[1:]
    assert rejected_paths(agent.storage) == []
    assert "too new" in run(loki_url, "spool", "ls", str(agent.storage)).stdout

    patient = make_loki(limits=PATIENT)
    assert run(patient.url, *replay).returncode == 0
    assert eventually(lambda: stored_lines(patient.url, service)) == lines[:1]
    assert "\n0 dead letters." in "\n" + run(loki_url, "spool", "ls", str(agent.storage)).stdout


def test_lines_after_a_refused_chunk(loki_url: str, make_agent: MakeAgent) -> None:
    """They are not held up."""
    service = new_service()
    agent = make_agent(loki_url).start()
    lines = refused(agent, service)
    (later,) = json_lines(service, 1)
    File(agent.logs, service).write([later])
    eventually(lambda: stored_lines(loki_url, service) == [*lines[1:], later])


def test_posted_elements_that_are_no_objects(loki_url: str, make_agent: MakeAgent) -> None:
    """They are dead letters after their retries, and a replay stores them as they are."""
    service = new_service()
    agent = make_agent(loki_url, FLUENTBIT_HTTP_RETRIES="1").start()
    url = agent.logs_url
    events = [{"service": service, "message": f"{side} it"} for side in ("before", "after")]
    posted = [events[0], service, events[1]]
    assert requests.post(url, json=posted, timeout=10).status_code == 201
    eventually(lambda: agent.numbers().dead == len(posted), within_s=60)
    done = run(loki_url, "spool", "replay", str(agent.storage), "--dead-letters")
    assert (done.returncode, done.stderr) == (0, "")
    found = [json.loads(line) for line in stored_lines(loki_url, service)]
    assert sorted(found, key=str) == sorted(events, key=str)
    assert json.dumps(service) in stored_lines(loki_url, "unknown")


def test_a_posted_element_at_the_end_that_is_no_object(
    loki_url: str, make_agent: MakeAgent
) -> None:
    """Fluent Bit drops it and counts nothing; its log tells, and what came before it arrives."""
    service = new_service()
    agent = make_agent(loki_url).start()
    url = agent.logs_url
    posted = [{"service": service, "message": "before it"}, service]
    assert requests.post(url, json=posted, timeout=10).status_code == 201
    (line,) = eventually(lambda: stored_lines(loki_url, service))
    assert json.loads(line) == posted[0]
    assert "Log event encoder error" in agent.said()


def test_above_the_limit(loki_url: str, make_agent: MakeAgent, tmp_path: Path) -> None:
    """Where they are over their limit at the start of the agent, it keeps no more of them.

    Until then the limit holds nothing up: Fluent Bit counts only what it has found at its start.
    """
    settings = shutil.copytree(kit_root() / "fluentbit", tmp_path / "fluentbit")
    pipeline = settings / "pipeline.yaml"
    text = pipeline.read_text()
    assert "storage.rejected.limit: 128M" in text
    pipeline.write_text(text.replace("storage.rejected.limit: 128M", "storage.rejected.limit: 10K"))
    agent, service, count = make_agent(loki_url), new_service(), 20
    agent.command[-1] = str(settings / "native.yaml")
    agent.start()
    source = File(agent.logs, service)
    for kept in (count, 2 * count):
        source.write([early_line(service)] * count)
        eventually(lambda: agent.numbers().dead == kept)  # noqa: B023 - asked now
    agent.kill()
    agent.start()
    source.write([early_line(service)] * count)
    eventually(lambda: agent.numbers().dropped == count)
    assert agent.numbers().dead == 2 * count
