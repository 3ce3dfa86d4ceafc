"""The alert rules with their states, as `lokikit alerts` keeps them or as Loki answers now."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lokikit.alerts.overview import AlertRow, alert_rows, breach_rows
from lokikit.alerts.silences import EVERY_RULE, read_silences
from lokikit.alerts.state_file import read_state
from lokikit.errors import SettingsError
from lokikit.fields import LABEL_SERVICE
from lokikit.monitoring.alert_rules import breaches, provisioned_rules
from lokikit.times import NS_PER_S, parse_duration_ns

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Rule
    from lokikit.query.client import Loki

_STALE_NS = 180 * NS_PER_S
"""Age of the last evaluation from which on its process has ended: rules are due every minute."""
_LOUDEST = ("firing", "over", "error", "nodata", "recovering", "pending", "inactive")
_NO_STATES = (
    "lokikit alerts does not run here: what is over a threshold at this moment is shown, without a "
    "start. A Grafana may evaluate the same rules; otherwise set ALERT_MAIL_TO or another ALERT_ "
    "variable and run lokikit up."
)


def alerts_now(loki: Loki, folder: Path) -> dict[str, Any]:
    """Return all rules with their series, the loudest first, the silences, and a note.

    Loki is queried when no `lokikit alerts` keeps states in the folder.

    Raises:
        LokikitError: Loki does not answer, or the file of silences cannot be read.
    """
    now_ns = time.time_ns()
    state, rules = read_state(folder), provisioned_rules()
    silences = read_silences(folder, now_ns)
    if state is not None and now_ns - state.evaluated_ns < _STALE_NS:
        rows = alert_rows(rules, state, silences, now_ns)
        note = f"Loki did not answer at the last look: {state.problem}" if state.problem else ""
    else:
        rows = breach_rows(breaches(loki, rules, now_ns), silences, now_ns)
        note = _NO_STATES
    shown = [_rule(rule, rows) for rule in rules]
    shown.sort(key=lambda rule: (_LOUDEST.index(rule["state"]), rule["title"]))
    listed = [asdict(one) | {"until_ns": str(one.until_ns)} for one in silences]
    return {"rules": shown, "silences": listed, "note": note}


def _rule(rule: Rule, rows: Iterable[AlertRow]) -> dict[str, Any]:
    series = [_series(row) for row in rows if row.rule is rule and row.state != "inactive"]
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


def _series(row: AlertRow) -> dict[str, Any]:
    start = {"since": str(row.since_ns)} if row.since_ns else {}
    return {
        "labels": dict(row.labels),
        "service": row.labels.get(LABEL_SERVICE, ""),
        "state": row.state,
        "value": row.value,
        "problem": row.problem,
        "silenced": row.silenced,
        **start,
    }


def silence_end(asked: dict[str, Any], now_ns: int) -> tuple[str, str, int]:
    """Return rule, service and end of the silence that the page requests.

    Raises:
        SettingsError: there is no such rule, or the duration is wrong.
    """
    rule, service, span = (str(asked.get(name, "")) for name in ("rule", "service", "for"))
    if rule not in {EVERY_RULE, *(one.uid for one in provisioned_rules())}:
        raise SettingsError(f"there is no rule {rule!r}.")
    return rule, service, now_ns + parse_duration_ns(span, "the silence")
