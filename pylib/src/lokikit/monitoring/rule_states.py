"""The states of an alert rule's series from evaluation to evaluation.

The answer of the query and the time of each evaluation are arguments, so the same state machine
serves rule tests, with lines in memory, and live evaluations of any Loki.

Grafana-managed rules follow Grafana's documentation of alert rule evaluation, of No Data and Error
states and of stale alert instances:
https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/
Rules of Loki's ruler follow Prometheus' documentation of alerting rules:
https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Rule

State = Literal["inactive", "pending", "firing", "recovering", "nodata", "error"]
Key = tuple[tuple[str, str], ...]
_ALERTS_OF_THEIR_OWN: Mapping[str, Key] = {
    "NoData": (("alertname", "DatasourceNoData"),),
    "Error": (("alertname", "DatasourceError"),),
}
"""The alert instances that Grafana creates beside those of the series."""


@dataclass(frozen=True)
class Reading:
    """The value of a series at an evaluation."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class RuleAnswer:
    """The answer of a rule's query at an evaluation: readings, none, or an error."""

    readings: tuple[Reading, ...] = ()
    error: str = ""


@dataclass
class Instance:
    """A series of a rule, and its state.

    Args:
        labels: labels of the series.
        state: state since the last evaluation.
        value: last value, `None` without one.
        since_ns: time at which the state began.
        reason: `NoData`, `Error` or `MissingSeries`, when the state does not follow from a value.
        has_fired: True when it has fired; an inactive instance that has fired is resolved.
        breached_ns: time at which the breach began.
        healthy_ns: time at which the breach ended, while the alert is kept firing.
        missing: evaluations in a row without its series.
        own_labels: labels in place of the rule's, for Grafana's own alerts.
    """

    labels: Mapping[str, str]
    state: State = "inactive"
    value: float | None = None
    since_ns: int = 0
    reason: str = ""
    has_fired: bool = False
    breached_ns: int | None = field(default=None, repr=False)
    healthy_ns: int | None = field(default=None, repr=False)
    missing: int = field(default=0, repr=False)
    own_labels: Mapping[str, str] = field(default_factory=dict, repr=False)

    def alert_labels(self, rule: Rule) -> dict[str, str]:
        """Return the labels of its alert, as an instance of that rule."""
        return {**rule.alert_labels(self.labels), **self.own_labels}

    def enter(self, state: State, time_ns: int) -> None:
        """Enter a state."""
        if state != self.state:
            self.state, self.since_ns = state, time_ns
        self.has_fired |= state == "firing"

    def shift(self, by_ns: int) -> None:
        """Move the times of the instance after the clock jumped.

        After a jump forward only the start of a wait moves, so that the wait keeps its length.
        After a jump back all times move, because they would lie in the future.
        """
        waits = self.state in {"pending", "recovering"}
        if by_ns < 0 or waits:
            self.since_ns += by_ns
        if self.breached_ns is not None and (by_ns < 0 or self.state == "pending"):
            self.breached_ns += by_ns
        if self.healthy_ns is not None:
            self.healthy_ns += by_ns


class RuleStates:
    """The state machine of a rule.

    Args:
        rule: the rule; its query is evaluated by the caller.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._live: dict[Key, Instance] = {}
        self._gone: dict[Key, Instance] = {}
        self.last_error = ""

    @property
    def instances(self) -> list[Instance]:
        """All series so far, resolved and absent series too, ordered by labels."""
        return [instance for _, instance in sorted((self._gone | self._live).items())]

    def restore(self, instances: Iterable[Instance]) -> None:
        """Go on from the states that `instances` had, of an earlier process for example."""
        self._live = {_key_of(instance): instance for instance in instances}

    def forget(self, before_ns: int) -> None:
        """Drop the series that are gone and ended before that time."""
        self._gone = {
            key: instance for key, instance in self._gone.items() if instance.since_ns >= before_ns
        }

    def update(self, time_ns: int, outcome: RuleAnswer) -> None:
        """Apply an evaluation; evaluations come in the order of their times."""
        self.last_error = outcome.error
        if outcome.error:
            self._without_readings(time_ns, "Error", self._rule.on_error)
            return
        seen = {_key(reading.labels): reading for reading in outcome.readings}
        if not seen and self._rule.engine == "grafana":
            self._without_readings(time_ns, "NoData", self._rule.no_data)
            return
        for key, reading in seen.items():
            self._take(key, reading, time_ns)
        self._miss(self._live.keys() - seen.keys(), time_ns)

    def _take(self, key: Key, reading: Reading, time_ns: int) -> None:
        instance = self._instance(key, reading.labels)
        instance.value, instance.reason, instance.missing = reading.value, "", 0
        self._judge(instance, time_ns, breached=self._rule.is_breached(reading.value))

    def _judge(
        self, instance: Instance, time_ns: int, *, breached: bool, fires_as: State = "firing"
    ) -> None:
        if breached:
            self._breach(instance, time_ns, fires_as)
        else:
            self._recover(instance, time_ns)

    def _breach(self, instance: Instance, time_ns: int, fires_as: State) -> None:
        instance.healthy_ns = None
        if instance.breached_ns is None:
            instance.breached_ns = time_ns
        if time_ns - instance.breached_ns >= self._rule.for_ns:
            instance.enter(fires_as, time_ns)
        else:
            instance.enter("pending", time_ns)

    def _recover(self, instance: Instance, time_ns: int) -> None:
        if instance.state in {"firing", "recovering"} and self._rule.keep_firing_for_ns:
            if instance.healthy_ns is None:
                instance.healthy_ns = time_ns
            if time_ns - instance.healthy_ns < self._rule.keep_firing_for_ns:
                # For Prometheus the alert is still firing, for Grafana it is recovering.
                state: State = "firing" if self._rule.engine == "loki" else "recovering"
                instance.enter(state, time_ns)
                return
        instance.breached_ns = instance.healthy_ns = None
        instance.enter("inactive", time_ns)

    def _miss(self, keys: Iterable[Key], time_ns: int) -> None:
        """Update series that are absent now: healthy for Loki's ruler, stale for Grafana."""
        for key in keys:
            instance = self._live[key]
            instance.missing += 1
            if self._rule.engine == "loki":
                self._recover(instance, time_ns)
            elif instance.missing >= self._rule.missing_evaluations:
                instance.enter("inactive", time_ns)
                instance.reason = "MissingSeries"
            if instance.state == "inactive":
                self._gone[key] = self._live.pop(key)

    def _without_readings(self, time_ns: int, reason: str, setting: str) -> None:
        """Apply the rule's setting for an empty answer or an error.

        `NoData` and `Error` create an alert of their own; the other settings apply to the series
        that are known, or to the rule as a whole while none is.
        """
        if setting in _ALERTS_OF_THEIR_OWN:
            key = _ALERTS_OF_THEIR_OWN[setting]
            instance = self._instance(key, {})
            instance.own_labels = {**dict(key), "rulename": self._rule.title}
            instance.reason, instance.missing = reason, 0
            state: State = "nodata" if setting == "NoData" else "error"
            self._judge(instance, time_ns, breached=True, fires_as=state)
            self._miss(self._live.keys() - {key}, time_ns)
            return
        known = list(self._live.values())
        if not known and self._rule.engine == "grafana":
            known = [self._instance((), {})]
        for instance in known:
            instance.reason, instance.missing = reason, 0
            if setting != "KeepLast":
                self._judge(instance, time_ns, breached=setting == "Alerting")

    def _instance(self, key: Key, labels: Mapping[str, str]) -> Instance:
        if key not in self._live:
            gone = self._gone.pop(key, None)
            self._live[key] = Instance(labels, has_fired=bool(gone and gone.has_fired))
        return self._live[key]


def _key_of(instance: Instance) -> Key:
    """Return the key of an instance; Grafana's own alerts have no labels of a series."""
    own = (("alertname", instance.own_labels.get("alertname", "")),)
    return own if own in _ALERTS_OF_THEIR_OWN.values() else _key(instance.labels)


def _key(labels: Mapping[str, str]) -> Key:
    return tuple(sorted(labels.items()))
