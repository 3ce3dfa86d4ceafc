"""`lokikit canary`: numbered lines on stdout, and whether they arrive in Loki."""

from __future__ import annotations

from pathlib import Path

import typer

from lokikit.cli.asking import loki_from
from lokikit.cli.stop_signal import StopSignal
from lokikit.errors import SettingsError
from lokikit.fields import CANARY_SERVICE
from lokikit.monitoring.canary import Canary, Pace
from lokikit.setup import setup_json_logging
from lokikit.stack.agent_metrics import AgentNumbers, ask_fluent_bit, read_ship_stats
from lokikit.times import NS_PER_S, parse_duration_ns

_TIMEOUT_S = 5
"""How long a query of Loki may delay the next line."""


def canary(
    interval: str = typer.Option("15s", help="From one numbered line to the next."),
    check_every: str = typer.Option("1m", help="From one check line to the next."),
    patience: str = typer.Option(
        "5m", help="A line is lost when Loki has answered for so long without it."
    ),
    contact_points: int | None = typer.Option(
        None,
        min=0,
        help="How many ways there are to send an alert to people; each check line has the number.",
    ),
    agent: str = typer.Option(
        "",
        help="Where the agent serves its metrics, so that each check line has its drops: the "
        "admin URL of Fluent Bit, or the file of `lokikit ship --stats`.",
    ),
) -> None:
    """Write numbered lines to stdout and look for them in Loki, until SIGTERM or Ctrl-C.

    Put its stdout where that of your services goes: then its silence means that theirs does not
    arrive either. Check lines count what was **lost**, came **late** after it was given up, came
    **twice**, and how long the slowest took. With the defaults it is 7,200 lines a day, about
    2 MB. `lokikit up` runs one.

    While Loki does not answer nothing is given up. LOG_LEVEL does not silence it, and LOKI_URL is
    only where it looks: it never pushes.
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
        raise SettingsError(f"{name} {text!r} is no time at all: use 1s or more.")
    return seconds
