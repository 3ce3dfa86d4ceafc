"""The loop of `lokikit alerts`: evaluates rules, sends messages, saves the state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.alerts.clock import Clock, Jumps
from lokikit.alerts.dispatch import Dispatch, Timing, grouped
from lokikit.alerts.evaluation import LiveAnswers
from lokikit.alerts.newest_lines import newest_lines
from lokikit.alerts.rule_book import RuleBook
from lokikit.alerts.silences import Silence, read_silences
from lokikit.alerts.state_file import AlertState, alive_file, read_state, write_state
from lokikit.errors import SettingsError
from lokikit.notices import Notices
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.alerts.alert import Alert
    from lokikit.alerts.ways import Way
    from lokikit.monitoring.rule_definition import Rule
    from lokikit.query.client import Loki

LOOKS_EVERY_S = 5.0
"""Longest delay of a message, and of the effect of a silence."""


class Watch:
    """Evaluates rules and sends messages, a step at a time; `page_url` is for links in messages."""

    def __init__(  # noqa: PLR0913 - each is a part that tests replace
        self,
        rules: Iterable[Rule],
        loki: Loki,
        folder: Path,
        ways: Mapping[str, Way],
        *,
        timing: Timing,
        page_url: str = "",
        clock: Clock | None = None,
        notices: Notices | None = None,
    ) -> None:
        self._rules = {rule.uid: rule for rule in rules}
        self._loki, self._folder, self._page_url = loki, folder, page_url
        self._clock, self._notices = clock or Clock(), notices or Notices()
        self._silences: list[Silence] = []
        self._state = read_state(folder) or AlertState()
        self._answers = LiveAnswers(loki)
        self._book = RuleBook(self._rules.values(), self._answers, self._state.rules)
        self._dispatch = Dispatch(ways, timing, self._lines, self._say_failure)
        self._jumps = Jumps(self._clock)
        # The clock may have been set back while no process ran.
        self._go_on(min(0, self._clock.wall_ns() - self._state.evaluated_ns))

    def step(self) -> None:
        """Evaluate the rules and send the messages that are due."""
        self._go_on(self._jumps.since_last_ns())
        now_ns = self._clock.wall_ns()
        if self._book.look(now_ns):
            self._state.evaluated_ns, self._state.problem = now_ns, self._answers.problem
            self._save()
        alerts = self._book.alerts(self._page_url)
        silences = self._silences_now(now_ns)
        silenced = {
            alert.fingerprint
            for alert in alerts
            if any(one.covers(alert.rule, alert.labels, now_ns) for one in silences)
        }
        self._dispatch.send_due(self._state.sent, grouped(alerts), silenced, now_ns, self._save)
        self._write(alive_file(self._folder).touch)

    def run(self, stopped: Callable[[], bool], sleep: Callable[[float], object]) -> None:
        """Repeat steps until `stopped` returns True."""
        while not stopped():
            self.step()
            to_next_s = (self._book.next_ns(now_ns := self._clock.wall_ns()) - now_ns) / NS_PER_S
            sleep(min(LOOKS_EVERY_S, to_next_s))

    def _go_on(self, jump_ns: int) -> None:
        """Move the times of the state after the time of day jumped."""
        if not jump_ns:
            return
        self._book.shift(jump_ns)
        if jump_ns < 0:
            self._state.evaluated_ns += jump_ns
            for record in (one for groups in self._state.sent.values() for one in groups.values()):
                record.sent_ns += jump_ns
                record.failed_ns += jump_ns

    def _silences_now(self, now_ns: int) -> list[Silence]:
        """Return the silences; when their file cannot be read, the silences of the last step."""
        try:
            self._silences = read_silences(self._folder, now_ns)
        except SettingsError as error:
            self._notices.say("silences", str(error))
        return self._silences

    def _lines(self, alert: Alert) -> tuple[str, ...]:
        rule = self._rules[alert.rule]
        of_rule = rule.alert_labels({})
        series = {name: value for name, value in alert.labels.items() if name not in of_rule}
        if self._answers.problem:
            return (f"(the newest lines cannot be had: {self._answers.problem})",)
        return newest_lines(self._loki, rule, series, self._clock.wall_ns())

    def _say_failure(self, way: str, why: str) -> None:
        self._notices.say(f"way {way}", f"alerts: a message by {way} did not go out: {why}")

    def _save(self) -> None:
        self._state.rules = self._book.records()
        self._write(lambda: write_state(self._folder, self._state))

    def _write(self, write: Callable[[], object]) -> None:
        """Write to the folder; a failure is reported, and messages are still sent."""
        try:
            write()
        except OSError as error:
            self._notices.say("state", f"alerts: the state cannot be kept: {error}")
