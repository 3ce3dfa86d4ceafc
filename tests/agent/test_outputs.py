"""What is printed and what is posted go to Loki side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests
from tests.agent.feeding import File, json_lines
from tests.stack.pushing import new_service, stored
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agent.running import RunningAgent


@pytest.mark.parametrize("order", [("posted", "printed"), ("printed", "posted")])
def test_neither_output_changes_the_other(
    loki_url: str, make_agent: Callable[..., RunningAgent], order: tuple[str, str]
) -> None:
    """Whichever sends first, the line is the line and the event is the event.

    In one thread, Fluent Bit takes off each record what the first of its Loki outputs takes off.
    """
    service = new_service()
    agent = make_agent(loki_url).start()
    (line,) = json_lines(service, 1)
    event = {"service": service, "env": "test", "message": "posted"}
    url = agent.logs_url
    for count, way in enumerate(order, 1):
        if way == "posted":
            requests.post(url, json=event, timeout=10).raise_for_status()
        else:
            File(agent.logs, service).write([line])
        eventually(lambda: agent.numbers().sent == count)  # noqa: B023 - asked now
    found = [one.line for one in stored(loki_url, service)]
    assert line in found
    assert [json.loads(one) for one in found if one != line] == [event]
