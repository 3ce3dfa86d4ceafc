"""An alert: a series of a rule that fires, in the form in which messages show it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from lokikit.fields import LABEL_SERVICE
from lokikit.monitoring.rule_annotations import fill_annotation

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Rule
    from lokikit.monitoring.rule_states import Instance

ACTIVE = frozenset({"firing", "recovering", "nodata", "error"})
"""States of an instance that messages are sent about."""
_DASHBOARD, _RUNBOOK = "__dashboardUid__", ("runbook_url", "runbook")
_FINGERPRINT_CHARS = 16
_OF_LABELS = re.compile(r"\$labels|\.Labels")
_REASONS = frozenset({"NoData", "Error"})
"""Reasons for which an alert fires without a current value."""


@dataclass(frozen=True)
class Alert:
    """An alert as text and numbers, so that it can be stored.

    Args:
        fingerprint: its id, the same over restarts for the same labels.
        rule: uid of its rule.
        title: title of the rule.
        severity: `critical` or `warning`.
        summary: first sentence of a message.
        value: last value as text, with the threshold.
        since_ns: time at which it began to fire.
        labels: labels of the alert.
        reason: `NoData` or `Error` for an alert without a value; empty with a value.
        page: link to its dashboard on the page.
        runbook: link or path of its runbook.
    """

    fingerprint: str
    rule: str
    title: str
    severity: str
    summary: str
    value: str
    since_ns: int
    labels: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    page: str = ""
    runbook: str = ""

    @property
    def service(self) -> str:
        """Its service; empty without a service."""
        return self.labels.get(LABEL_SERVICE, "")


def alert_of(rule: Rule, instance: Instance, page_url: str = "", error: str = "") -> Alert:
    """Return the alert of an instance.

    Args:
        rule: rule of the instance.
        instance: state of the series.
        page_url: URL of the page, for the links; empty for no links.
        error: error of the rule's last query; empty after an answer.
    """
    labels = instance.alert_labels(rule)
    return Alert(
        fingerprint(rule.uid, labels),
        rule.uid,
        rule.title,
        rule.severity,
        _summary(rule, instance, labels, error),
        _value(rule, instance),
        instance.since_ns,
        labels,
        instance.reason,
        _page(rule, labels, page_url),
        _runbook(rule, page_url),
    )


def fingerprint(uid: str, labels: Mapping[str, str]) -> str:
    """Return an id of letters and digits for an alert."""
    text = "\0".join((uid, *(part for pair in sorted(labels.items()) for part in pair)))
    return hashlib.sha256(text.encode()).hexdigest()[:_FINGERPRINT_CHARS]


def _summary(rule: Rule, instance: Instance, labels: Mapping[str, str], error: str) -> str:
    """Return the rule's summary, with the reason of an alert without a value."""
    template = rule.annotations.get("summary", rule.title)
    if not instance.labels and _OF_LABELS.search(template):
        template = rule.title  # the summary would have holes in place of the labels
    summary = fill_annotation(template, labels, instance.value)
    if instance.reason not in _REASONS:
        return summary
    why = f"Loki cannot be asked ({error})" if instance.reason == "Error" else "no data at all"
    return f"{summary}: {why}"


def _value(rule: Rule, instance: Instance) -> str:
    if instance.value is None or instance.reason in _REASONS:
        return f"none; a breach is {rule.limit}"
    return f"{instance.value:.4g}; a breach is {rule.limit}"


def _page(rule: Rule, labels: Mapping[str, str], page_url: str) -> str:
    dashboard = rule.annotations.get(_DASHBOARD, "")
    if not page_url:
        return ""
    chosen = {"var-service": labels[LABEL_SERVICE]} if LABEL_SERVICE in labels else {}
    query = urlencode({**chosen, "from": "now-1h", "to": "now"}, quote_via=quote)
    return f"{page_url}/d/{quote(dashboard)}?{query}" if dashboard else page_url


def _runbook(rule: Rule, page_url: str) -> str:
    """Return the link to the rule's runbook; a path of the kit becomes a link to the page."""
    link = next((rule.annotations[name] for name in _RUNBOOK if name in rule.annotations), "")
    if not link or "://" in link or not page_url:
        return link
    return f"{page_url}/runbook#{link.partition('#')[2]}"
