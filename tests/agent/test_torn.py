"""What the agent holds in memory to join it: all that a kill can take."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.agent.feeding import Driver, File
from tests.stack.pushing import new_service, stored
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agent.running import RunningAgent

    MakeAgent = Callable[..., RunningAgent]

CONTAINERS = 5
HEAD = ["Traceback (most recent call last):", '  File "app.py", line 1, in f']
RAISED = "ValueError: no"


def send_part(driver: Driver, text: str, ordinal: int) -> None:
    """Send one of three parts of a line, as Docker cuts it."""
    driver.send(
        text,
        partial_message="true",
        partial_id="a" * 64,
        partial_ordinal=str(ordinal),
        partial_last="true" if ordinal == 3 else "false",
    )


def lines_between(url: str, service: str, first: str, last: str) -> list[str]:
    """The lines of `service` in Loki between these two, once both are there."""

    def find() -> list[str]:
        found = [one.line for one in stored(url, service)]
        return found if {first, last} <= set(found) else []

    found = eventually(find, within_s=60)
    assert (found[0], found[-1]) == (first, last)
    return found[1:-1]


def test_parts_of_a_line(loki_url: str, make_agent: MakeAgent) -> None:
    """Those that wait for the next part are lost, one line a container at most, and no other."""
    agent = make_agent(loki_url, "docker").start()
    services = [new_service() for _ in range(CONTAINERS)]
    lost = 0
    with contextlib.ExitStack() as stack:
        port = agent.ports["FLUENTBIT_FORWARD_PORT"]
        drivers = [stack.enter_context(contextlib.closing(Driver(port, one))) for one in services]
        for driver in drivers:
            driver.send("whole")
            send_part(driver, "part 1,", 1)
            send_part(driver, "part 2,", 2)
        agent.kill()
        agent.start()
        for driver in drivers:
            send_part(driver, "part 3", 3)
            driver.send("whole too")
    for service in services:
        found = lines_between(loki_url, service, "whole", "whole too")
        # On a slow machine they are let go unjoined before the kill, after two seconds.
        assert found in (["part 3"], ["part 1,part 2,", "part 3"])
        lost += len(found) == 1
    print(f"{lost} of {CONTAINERS} lines lost the parts that waited")


def test_lines_of_a_traceback(loki_url: str, make_agent: MakeAgent) -> None:
    """Those that wait for its next line are lost from a followed file, and no line around them."""
    service = new_service()
    agent = make_agent(loki_url).start()
    source = File(agent.logs, service)
    source.write(["before"])
    eventually(lambda: agent.numbers().read)
    source.write(HEAD)
    agent.kill()
    agent.start()
    source.write([RAISED, "after"])
    found = lines_between(loki_url, service, "before", "after")
    whole = "\n".join([*HEAD, RAISED])
    # Not read before the kill; read, and lost; let go before the kill, after a second.
    assert found in ([whole], [RAISED], ["\n".join(HEAD), RAISED])
