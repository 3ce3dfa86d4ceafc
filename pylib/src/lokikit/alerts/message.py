"""A message about the alerts of one service, as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lokikit.alerts.alert import Alert
from lokikit.times import format_time

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_MAX_LINE_CHARS = 500
_TITLE_CHARS = 200
_MOST_ALERTS = 30
OF_NO_SERVICE = "all services"


@dataclass(frozen=True)
class Message:
    """A message about the alerts of a service.

    Args:
        service: its name; empty for alerts without a service.
        firing: the alerts that fire.
        resolved: alerts of an earlier message that fire no more.
        time_ns: time of the message.
        lines: fingerprint -> the newest lines behind the alert, the newest last.
    """

    service: str
    firing: tuple[Alert, ...]
    resolved: tuple[Alert, ...]
    time_ns: int
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """`firing` while an alert fires, otherwise `resolved`."""
        return "firing" if self.firing else "resolved"

    @property
    def title(self) -> str:
        """A line with the number of alerts, the service and the names of the rules."""
        numbers = [("FIRING", len(self.firing)), ("RESOLVED", len(self.resolved))]
        counts = ", ".join(f"{word}:{number}" for word, number in numbers if number)
        rules = ", ".join(dict.fromkeys(one.title for one in (*self.firing, *self.resolved)))
        return clean(f"[{counts}] {self.service or OF_NO_SERVICE}: {rules}")[:_TITLE_CHARS]

    @property
    def text(self) -> str:
        """Some lines for each alert, without control characters."""
        return "\n".join(self._parts()).rstrip() + "\n"

    def _parts(self) -> Iterator[str]:
        for alert in self.firing[:_MOST_ALERTS]:
            yield from self._firing(alert)
        for alert in self.resolved[:_MOST_ALERTS]:
            yield clean(f"{alert.title} ({alert.severity}): resolved")
            yield f"  {clean(alert.summary)}"
            began, ended = in_seconds(alert.since_ns), in_seconds(self.time_ns)
            yield f"  It fired from {began} to {ended} at the latest."
            yield ""
        left = max(len(self.firing), len(self.resolved)) - _MOST_ALERTS
        if left > 0:
            yield f"And {left} more: lokikit alerts status shows all."

    def _firing(self, alert: Alert) -> Iterator[str]:
        yield clean(f"{alert.title} ({alert.severity}): fires since {in_seconds(alert.since_ns)}")
        yield f"  {clean(alert.summary)}"
        yield f"  Value: {clean(alert.value)}"
        if lines := self.lines.get(alert.fingerprint):
            yield "  Newest lines:"
            yield from (f"    {clean(line)}" for line in lines)
        if alert.page:
            yield f"  Page: {clean(alert.page)}"
        if alert.runbook:
            yield f"  Runbook: {clean(alert.runbook)}"
        yield ""


def clean(text: str) -> str:
    """Return the text on one line of valid Unicode, without control characters, cut if long."""
    valid = text.encode("utf-8", "replace").decode()
    return _CONTROL.sub(" ", valid)[:_MAX_LINE_CHARS]


def in_seconds(time_ns: int) -> str:
    """Return a time of RFC 3339 in UTC, to the second."""
    return format_time(time_ns, 0)


def trial_message(now_ns: int) -> Message:
    """Return a message for a test of the contacts."""
    summary = "If you read this, alerts of lokikit arrive here. Nothing is wrong."
    alert = Alert("test", "test", "Test message", "warning", summary, "none", now_ns)
    return Message("", (alert,), (), now_ns)
