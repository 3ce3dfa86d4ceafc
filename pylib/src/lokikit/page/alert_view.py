"""The alert rules with their states, as `lokikit alerts` keeps them or as they are just now."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lokikit.alerts.silences import EVERY_RULE, read_silences
from lokikit.alerts.state_file import read_state
from lokikit.errors import SettingsError
from lokikit.fields import LABEL_SERVICE
from lokikit.monitoring.alert_rules import breaches, provisioned_rules
from lokikit.times import NS_PER_S, parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lokikit.alerts.silences import Silence
    from lokikit.alerts.state_file import AlertState
    from lokikit.monitoring.rule_definition import Rule
    from lokikit.query.client import Loki

_STALE_NS = 180 * NS_PER_S
"""Rules are looked at every minute: an older look is that of a process that has ended."""
_LOUDEST = ("firing", "over", "error", "nodata", "recovering", "pending", "inactive")
_NO_STATES = (
    "lokikit alerts does not run here: what is over a threshold at this moment is shown, without a "
    "start. A Grafana may evaluate the same rules; otherwise set ALERT_MAIL_TO or another ALERT_ "
    "variable and run lokikit up."
)


def alerts_now(loki: Loki, folder: Path) -> dict[str, Any]:
    """Every rule, the loudest first, with its series and who looks at them.

    Args:
        loki: asked when no `lokikit alerts` keeps states.
        folder: where that keeps them.

    Raises:
        LokikitError: Loki does not answer, or the file of silences cannot be read.
    """
    now_ns = time.time_ns()
    state, rules = read_state(folder), provisioned_rules()
    silences = read_silences(folder, now_ns)
    is_kept = state is not None and now_ns - state.evaluated_ns < _STALE_NS
    if state is not None and is_kept:
        found = _kept(state)
        note = f"Loki did not answer at the last look: {state.problem}" if state.problem else ""
    else:
        found, note = _momentary(loki, rules, now_ns), _NO_STATES
    shown = [_rule(rule, found.get(rule.uid, []), silences, now_ns) for rule in rules]
    shown.sort(key=lambda one: (_LOUDEST.index(one["state"]), one["title"]))
    listed = [asdict(one) | {"until_ns": str(one.until_ns)} for one in silences]
    return {"rules": shown, "silences": listed, "note": note}


def _kept(state: AlertState) -> dict[str, list[dict[str, Any]]]:
    """Rule -> its series, as the state file has them."""
    found = {}
    for uid, record in state.rules.items():
        found[uid] = [
            {
                "labels": dict(one.labels),
                "state": one.state,
                "value": one.value,
                "since": str(one.since_ns),
                "problem": record.error or one.reason,
            }
            for one in record.instances
            if one.state != "inactive"
        ]
    return found


def _momentary(loki: Loki, rules: Iterable[Rule], now_ns: int) -> dict[str, list[dict[str, Any]]]:
    """Rule -> what is over its threshold now."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in breaches(loki, rules, now_ns):
        series = {
            "labels": dict(one.labels),
            "state": "error" if one.problem else "over",
            "value": one.value,
            "problem": one.problem,
        }
        found.setdefault(one.rule.uid, []).append(series)
    return found


def _rule(
    rule: Rule, series: list[dict[str, Any]], silences: Iterable[Silence], now_ns: int
) -> dict[str, Any]:
    for one in series:
        labels = {**rule.labels, **one["labels"]}
        one["silenced"] = any(each.covers(rule.uid, labels, now_ns) for each in silences)
        one["service"] = one["labels"].get(LABEL_SERVICE, "")
    states = [one["state"] for one in series]
    return {
        "uid": rule.uid,
        "title": rule.title,
        "severity": rule.severity,
        "limit": rule.limit,
        "for": rule.for_ns // NS_PER_S,
        "query": rule.query,
        "state": min(states, key=_LOUDEST.index, default="inactive"),
        "dashboard": rule.annotations.get("__dashboardUid__", ""),
        "runbook": rule.annotations.get("runbook", "").partition("#")[2],
        "series": series,
    }


def silence_end(asked: dict[str, Any], now_ns: int) -> tuple[str, str, int]:
    """Rule, service and end of the silence that the page asks for.

    Raises:
        SettingsError: there is no such rule, or the duration is none.
    """
    rule, service, span = (str(asked.get(name, "")) for name in ("rule", "service", "for"))
    if rule not in {EVERY_RULE, *(one.uid for one in provisioned_rules())}:
        raise SettingsError(f"there is no rule {rule!r}.")
    return rule, service, now_ns + parse_duration_ns(span, "the silence")
