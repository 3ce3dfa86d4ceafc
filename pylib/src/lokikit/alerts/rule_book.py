"""The rules with their states: evaluations that are due, and alerts that fire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from lokikit.alerts.alert import ACTIVE, Alert, alert_of
from lokikit.alerts.state_file import RuleRecord
from lokikit.monitoring.rule_states import RuleStates
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.alerts.evaluation import LiveAnswers
    from lokikit.monitoring.rule_definition import Rule

_RESOLVED_FOR_NS = 15 * 60 * NS_PER_S
"""Time for which an absent series is still shown as resolved."""


def distinct(rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules, each with a unique uid: alerts of Loki's ruler may share a name."""
    seen: Counter[str] = Counter()
    made = []
    for rule in rules:
        seen[rule.uid] += 1
        number = seen[rule.uid]
        made.append(rule if number == 1 else replace(rule, uid=f"{rule.uid}-{number}"))
    return made


class RuleBook:
    """Evaluates rules, each at multiples of its interval.

    Args:
        rules: the rules that are switched on.
        answers: evaluates their queries.
        records: uid -> the last evaluation, for example of an earlier process.
    """

    def __init__(
        self, rules: Iterable[Rule], answers: LiveAnswers, records: Mapping[str, RuleRecord]
    ) -> None:
        self._answers = answers
        self._rules = {rule.uid: rule for rule in rules}
        self._states = {uid: RuleStates(rule) for uid, rule in self._rules.items()}
        self._evaluated_ns = dict.fromkeys(self._rules, 0)
        for uid in self._rules.keys() & records.keys():
            self._states[uid].restore(records[uid].instances)
            self._states[uid].last_error = records[uid].error
            self._evaluated_ns[uid] = records[uid].evaluated_ns

    def look(self, now_ns: int) -> bool:
        """Evaluate the rules that are due; return True if a rule was due."""
        due = [rule for rule in self._rules.values() if self._is_due(rule, now_ns)]
        self._answers.begin()
        for rule in due:
            time_ns = self._time_ns(rule, now_ns)
            states = self._states[rule.uid]
            states.update(time_ns, self._answers.outcome(rule, time_ns))
            states.forget(now_ns - _RESOLVED_FOR_NS)
            self._evaluated_ns[rule.uid] = time_ns
        return bool(due)

    def shift(self, by_ns: int) -> None:
        """Move the times of all states after the time of day jumped."""
        for uid, states in self._states.items():
            for instance in states.instances:
                instance.shift(by_ns)
            if by_ns < 0:
                self._evaluated_ns[uid] += by_ns

    def next_ns(self, now_ns: int) -> int:
        """Return the time at which the next rule is due."""
        return min(
            (now_ns // one.interval_ns + 1) * one.interval_ns for one in self._rules.values()
        )

    def alerts(self, page_url: str = "") -> list[Alert]:
        """Return the alerts that fire, rule by rule."""
        return [
            alert_of(self._rules[uid], one, page_url, states.last_error)
            for uid, states in self._states.items()
            for one in states.instances
            if one.state in ACTIVE
        ]

    def records(self) -> dict[str, RuleRecord]:
        """Return uid -> the last evaluation."""
        return {
            uid: RuleRecord(self._evaluated_ns[uid], states.last_error, states.instances)
            for uid, states in self._states.items()
        }

    def _is_due(self, rule: Rule, now_ns: int) -> bool:
        return now_ns // rule.interval_ns > self._evaluated_ns[rule.uid] // rule.interval_ns

    def _time_ns(self, rule: Rule, now_ns: int) -> int:
        """Return the multiple of the interval, so that evaluations have equal distances.

        After a pause it is the current time, because the multiple may be long ago.
        """
        multiple_ns = now_ns // rule.interval_ns * rule.interval_ns
        goes_on = multiple_ns - self._evaluated_ns[rule.uid] <= rule.interval_ns
        return multiple_ns if goes_on else now_ns
