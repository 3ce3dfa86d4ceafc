"""`lokikit check`: a marked line sent through each way into Loki, and read back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import typer
from rich.table import Table

from lokikit.cli.clients import loki_from, pusher_from
from lokikit.cli.output import console
from lokikit.errors import UnhealthyError
from lokikit.monitoring.forward_protocol import by_driver
from lokikit.monitoring.round_trip import (
    CheckedWay,
    Finding,
    by_file,
    by_push,
    check_ways,
    doubled_services,
)
from lokikit.stack.kit_files import loki_url, overlays, port, state_dir
from lokikit.stack.native.processes import find_groups
from lokikit.stack.native.store import own_url
from lokikit.stack.part_status import read_wanted
from lokikit.times import NS_PER_S, parse_duration_ns


def check(
    timeout: str = typer.Option("30s", help="How long a line may take on each way."),
) -> None:
    """Send a marked line through each way into Loki that is running, and read it back.

    The ways: **push**, straight to Loki's API; **agent**, a line in a file that the stack's agent
    follows, or with Docker a line sent to it as Docker's logging driver does. A way that is not
    running is named and not checked. Fails when a line is lost, and when lines of a service came
    by two ways in the last ten minutes.
    """
    timeout_s = parse_duration_ns(timeout, "--timeout") / NS_PER_S
    loki = loki_from()
    loki.labels()  # raises when Loki does not answer, which is no loss of lines
    findings = check_ways([by_push(pusher_from()), agent_way()], loki, timeout_s)
    console().print(_table(findings))
    doubled = doubled_services(loki, time.time_ns())
    lost = [f"{one.way} ({one.reason})" for one in findings if one.lost]
    if lost:
        raise UnhealthyError(f"check: lines were lost on the way by {', '.join(lost)}.")
    if doubled:
        services = ", ".join(f"{service} ({count} lines)" for service, count in doubled.items())
        raise UnhealthyError(
            f"check: lines arrive twice, by push and by agent: {services}; use one way for each "
            "service: unset LOKI_PUSH_URL there, or leave its output out of the agent."
        )


def agent_way() -> CheckedWay:
    """Return the way through the agent of the stack, which is `absent` when no stack is up."""
    state = state_dir()
    wanted = read_wanted(state)
    with_docker = wanted is not None and wanted.runtime == "docker"
    if with_docker:
        way = by_driver("agent", port("FLUENTBIT_FORWARD_PORT"))
    else:
        way = by_file("agent", state / "logs/services/check.log")
    stack_url = (wanted and wanted.loki_url) or own_url()
    if loki_url() != stack_url:
        return replace(way, absent=f"not checked: this stack's agent sends to {stack_url}")
    if with_docker and any(one.stem == "container-files" for one in overlays()):
        return replace(way, absent="not checked: this stack's agent follows container files")
    if "ship" not in find_groups(state) and wanted is None:
        return replace(way, absent="not running, not checked: lokikit up starts it")
    return way


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("way in", "result", "latency", "", box=None, pad_edge=False)
    for one in findings:
        result = "lost" if one.lost else "not checked" if one.latency_s is None else "ok"
        latency = "" if one.latency_s is None else f"{one.latency_s * 1000:.0f} ms"
        table.add_row(one.way, result, latency, one.reason, style="red" if one.lost else None)
    return table
