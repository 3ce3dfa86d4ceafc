"""`lokikit canary`: numbered lines on stdout, and the check of their arrival in Loki."""

from __future__ import annotations

from pathlib import Path

import typer

from lokikit.cli.clients import loki_from
from lokikit.cli.stop_signal import StopSignal
from lokikit.errors import SettingsError
from lokikit.fields import CANARY_SERVICE
from lokikit.monitoring.canary import Canary, Pace
from lokikit.setup import setup_json_logging
from lokikit.stack.agent_metrics import AgentNumbers, ask_fluent_bit, read_ship_stats
from lokikit.times import NS_PER_S, parse_duration_ns

_TIMEOUT_S = 5
"""Seconds for which a query of Loki may delay the next line."""


def canary(
    interval: str = typer.Option("15s", help="Time between two numbered lines."),
    check_every: str = typer.Option("1m", help="Time between two check lines."),
    patience: str = typer.Option(
        "5m", help="Time of answers without a line after which the line counts as lost."
    ),
    contact_points: int | None = typer.Option(
        None,
        min=0,
        help="Number of contacts for alerts; each check line reports it.",
    ),
    agent: str = typer.Option(
        "",
        help="Where the agent serves its metrics, so that each check line has its drops: the "
        "admin URL of Fluent Bit, or the file of `lokikit ship --stats`.",
    ),
) -> None:
    """Write numbered lines to stdout and look for them in Loki, until SIGTERM or Ctrl-C.

    Send its stdout to where the output of your services goes: when its lines do not arrive,
    neither do theirs. Check lines count the lines that were **lost**, that came **late** (after
    they were given up) and that came **twice**, and name the longest round trip. The defaults
    write 7,200 lines a day, about 2 MB. `lokikit up` runs a canary.

    While Loki does not answer, no line is given up. LOG_LEVEL does not silence the canary. It
    queries LOKI_URL, and never pushes to it.
    """
    pace = Pace(
        _seconds(interval, "--interval"),
        _seconds(check_every, "--check-every"),
        _seconds(patience, "--patience"),
    )
    stop = StopSignal()
    setup_json_logging(CANARY_SERVICE, level="info", push=False)
    Canary(
        loki_from(timeout_s=_TIMEOUT_S),
        pace,
        contact_points=contact_points,
        stopped=lambda: stop.asked,
        sleep=stop.sleep,
        agent=lambda: _numbers(agent),
    ).run()


def _numbers(agent: str) -> AgentNumbers | None:
    if not agent:
        return None
    return ask_fluent_bit(agent) if agent.startswith("http") else read_ship_stats(Path(agent))


def _seconds(text: str, name: str) -> float:
    seconds = parse_duration_ns(text, name) / NS_PER_S
    if not seconds:
        raise SettingsError(f"{name} {text!r} is no time: use 1s or more.")
    return seconds
