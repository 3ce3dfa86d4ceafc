"""`lokikit top`: all services on one live screen."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import typer
from rich.live import Live

from lokikit.cli.clients import loki_from
from lokikit.cli.output import console, whole_output
from lokikit.cli.screen import Screen
from lokikit.errors import RefusedError, SettingsError, UnreachableError
from lokikit.monitoring.alert_rules import breaches, provisioned_rules
from lokikit.monitoring.overview import covered_s, take_overview
from lokikit.query.http import is_passing
from lokikit.stack.kit_files import loki_url
from lokikit.stack.native.signals import sigterm_raises
from lokikit.times import NS_PER_S, format_time, parse_duration_ns

if TYPE_CHECKING:
    from lokikit.query.client import Loki

_RULES_EVERY_S = 60
"""Grafana's interval too; some rules query a whole day."""
_FRAMES_PER_S = 2
_TIMEOUT_S = 30


def top(
    since: str = typer.Option("15m", help="How far back: 5m, 1h, 1d."),
    every: str = typer.Option(
        "5s", help="Time between two queries; the rules are queried once a minute."
    ),
    once: bool = typer.Option(  # noqa: FBT001 - typer reads the signature
        False, "--once", help="Print the screen once and end, as without a terminal."
    ),
) -> None:
    """Show all services on one live screen, until Ctrl-C.

    It shows the series over the threshold of an alert rule now, for any duration; each service
    with its lines over time, its share of errors and its last line; the most frequent types of
    exception; the newest errors. It runs the queries of the dashboard *Services* and the alert
    rules of Grafana's provisioning.

        lokikit top --since 1h

    While Loki does not answer, the screen reports that and keeps its last content.
    """
    since_s = parse_duration_ns(since, "--since") // NS_PER_S
    every_s = parse_duration_ns(every, "--every") / NS_PER_S
    if not since_s or not every_s:
        raise SettingsError("--since and --every take 1s or more.")
    look = _Look(
        loki_from(timeout_s=_TIMEOUT_S), since_s, f"{_span_name(since, since_s)}  {loki_url()}"
    )
    if once or not sys.stdout.isatty():
        look.at_all()
        with whole_output():
            console().print(look.screen)
    else:
        _watch(look, every_s)


def _span_name(since: str, since_s: int) -> str:
    """Return the span that the screen covers, as the user typed it if that is exact."""
    shown_s = covered_s(since_s)
    return f"last {since}" if shown_s == since_s else f"last {shown_s}s"


class _Look:
    """Queries Loki, and keeps the answers for the screen."""

    def __init__(self, loki: Loki, since_s: int, title: str) -> None:
        self._loki, self._since_s = loki, since_s
        self._rules = provisioned_rules()
        self._rules_due_s = 0.0
        self.screen = Screen(title)

    def at_all(self) -> None:
        """Run the queries that are due.

        Raises:
            LokikitError: Loki does not answer, or refuses.
        """
        now_ns = time.time_ns()
        overview = take_overview(self._loki, self._since_s, now_ns)
        if time.monotonic() >= self._rules_due_s:
            self.screen.breaches = breaches(self._loki, self._rules, now_ns)
            self._rules_due_s = time.monotonic() + _RULES_EVERY_S
        self.screen.overview, self.screen.problem = overview, ""
        self.screen.updated = format_time(now_ns, 0)


def _watch(look: _Look, every_s: float) -> None:
    look.screen.live = True
    with (
        sigterm_raises(),
        Live(look.screen, console=console(), screen=True, refresh_per_second=_FRAMES_PER_S),
    ):
        try:
            while True:
                _look_again(look)
                time.sleep(every_s)
        except KeyboardInterrupt:
            return


def _look_again(look: _Look) -> None:
    """Run the queries; while Loki is away the screen keeps its content and reports the error."""
    try:
        look.at_all()
    except (UnreachableError, RefusedError) as error:
        if not is_passing(error):
            raise
        look.screen.problem = f"{error} Trying again."
