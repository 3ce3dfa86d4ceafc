"""A file that is truncated under a writer that does not append: a hole stands before its lines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.stack.asking import recent_entries
from tests.stack.shipping import lines_of, new_service
from tests.waiting import eventually

from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agent.running import RunningAgent

HOLE_BYTES = 262_144


@pytest.mark.parametrize("agent_is", ["away", "there"])
def test_lines_behind_a_hole_arrive_as_they_were_written(
    agent_is: str, loki_url: str, make_agent: Callable[..., RunningAgent]
) -> None:
    """Under their own service and time, each once."""
    service = new_service()
    lines = lines_of(service)
    agent = make_agent(loki_url)
    path = agent.logs / "app.log"
    written = []

    def arrived() -> list[bytes]:
        found = recent_entries(Loki(loki_url), f'{{service_name="{service}"}}')
        return [entry.line.encode() for entry in found]

    with path.open("wb", buffering=0) as writer:
        while writer.tell() < HOLE_BYTES:
            written.append(next(lines))
            writer.write(written[-1] + b"\n")
        agent.start()
        eventually(lambda: len(arrived()) == len(written))
        for _ in range(2):
            if agent_is == "away":
                agent.stop()
            os.truncate(path, 0)
            for _ in range(2):
                written.append(next(lines))
                writer.write(written[-1] + b"\n")
            if agent_is == "away":
                agent.start()
            eventually(lambda: len(arrived()) == len(written))
    assert sorted(arrived()) == sorted(written)
