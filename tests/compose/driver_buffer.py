"""How far Docker's own buffer reaches: `python -m tests.compose.driver_buffer`, some minutes.

It brings a stack up, takes its agent away or leaves it, has containers print numbered lines, and
prints how many of them are in Loki at the end. Figures of this machine, no assertion.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from rich.console import Console
from rich.table import Table
from tests.compose.images import stocked_docker
from tests.compose.stack import DockerStack
from tests.waiting import eventually

from lokikit.stack.docker.wiring import pipeline_logging

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from docker.models.containers import Container

_QUIET_S, _RECONNECTED_S = 15, 75
"""Then nothing more comes; the second is longer than the driver waits between two tries."""
_LIMIT = 10 * 1024
"""In place of the driver's own 1,048,576, so that it is reached in seconds."""
_MEBIBYTE = 1 << 20


def main() -> None:
    """Print the table."""
    table = Table("case", "printed", "in Loki", "first after", "last after", "daemon's memory")
    with tempfile.TemporaryDirectory() as state, stocked_docker(print) as client:
        stack = DockerStack(client, Path(state))
        try:
            up = stack.run("up", "--no-demo")
            assert up.returncode == 0, up.stderr
            for row in _rows(stack):
                print(*row, sep="\t", flush=True)
                table.add_row(*row)
        finally:
            stack.remove()
    Console().print(table)


def _rows(stack: DockerStack) -> Iterator[tuple[str, ...]]:
    for ack in ("true", "false"):
        for count in (30, 3_000):
            case = f"ends after {count} lines, request-ack {ack}"
            yield _there(stack, case, count, request_ack=ack)
    yield _there(stack, "stays", 3_000, lives=True)
    yield _away(stack, "ends while the agent is away", 1_000)
    yield _away(stack, "agent away for 1 s", 1_000, lives=True, away_s=1)
    yield _away(stack, "agent away for 60 s", 1_000, lives=True, away_s=60)
    limit = str(_LIMIT)
    yield _away(stack, f"limit {limit}", 2 * _LIMIT, lives=True, buffer_limit=limit)


def _there(
    stack: DockerStack, case: str, count: int, *, lives: bool = False, **options: str
) -> tuple[str, ...]:
    service = _service(case)
    before = _daemon_bytes()
    writer = stack.writer(service, count, lives=lives, logging=_with(stack, options))
    _wait_for_end(writer, count, lives=lives)
    arrived = _arrived(stack, service, _QUIET_S)
    return (case, str(count + 1), *arrived, _grown(before))


def _away(
    stack: DockerStack,
    case: str,
    count: int,
    *,
    lives: bool = False,
    away_s: float = 0,
    **options: str,
) -> tuple[str, ...]:
    service = _service(case)
    agent = stack.container("fluent-bit")
    agent.stop()
    before = _daemon_bytes()
    writer = stack.writer(service, count, lives=lives, logging=_with(stack, options))
    _wait_for_end(writer, count, lives=lives)
    grown = _grown(before)
    time.sleep(away_s)
    agent.start()
    return (case, str(count + 1), *_arrived(stack, service, _RECONNECTED_S), grown)


def _with(stack: DockerStack, options: Mapping[str, str]) -> dict[str, Any]:
    """The logging of the pipeline, with other options of the driver."""
    result = pipeline_logging(stack.variables)
    own = {f"fluentd-{name.replace('_', '-')}": value for name, value in options.items()}
    return {**result, "options": {**result["options"], **own}}


def _service(case: str) -> str:
    return case.replace(" ", "-").replace(",", "")


def _wait_for_end(writer: Container, count: int, *, lives: bool) -> None:
    if lives:
        # `docker logs` does not have what the driver refused.
        eventually(lambda: writer.exec_run(["test", "-e", "/tmp/ended"]).exit_code == 0, 600)  # noqa: S108 - in the container
        return
    assert writer.wait()["StatusCode"] == 0, count


def _arrived(stack: DockerStack, service: str, quiet_s: float) -> tuple[str, str, str]:
    """How many lines Loki has once no more come, and when the first and the last came."""
    start_s = time.monotonic()
    query = f'sum(count_over_time({{service_name="{service}"}}[2h]))'
    count, first_s, last_s = 0, 0.0, time.monotonic()
    while time.monotonic() - last_s < quiet_s:
        found = sum(int(float(one.value)) for one in stack.loki.instant(query))
        if found > count:
            last_s = time.monotonic()
            first_s = first_s or last_s
            count = found
        time.sleep(0.5)
    if not count:
        return "0", "", ""
    return str(count), f"{first_s - start_s:.1f} s", f"{last_s - start_s:.1f} s"


def _daemon_bytes() -> int:
    """The memory of dockerd, 0 when it is not of this machine."""
    found = (one for one in psutil.process_iter() if one.name() == "dockerd")
    return sum(one.memory_info().rss for one in found)


def _grown(before: int) -> str:
    return f"+{(_daemon_bytes() - before) / _MEBIBYTE:.0f} MiB"


if __name__ == "__main__":
    main()
