"""Alerts by HTTP: a webhook in the form of Grafana's, and Slack's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import requests

from lokikit.alerts.message import Message, clean, in_seconds
from lokikit.errors import RefusedError, UnreachableError
from lokikit.fields import LABEL_SERVICE

if TYPE_CHECKING:
    from lokikit.alerts.alert import Alert

_TIMEOUT_S = 15
_MAX_REASON_CHARS = 200
"""Characters of an answer in an error."""
_SLACK_CHARS = 3900
"""Slack cuts a message at 4,000 characters."""
_NEVER = "0001-01-01T00:00:00Z"
"""Grafana's value for the end of an alert that still fires."""


class HttpWay:
    """Posts each message as JSON; errors call the receiver `name`."""

    def __init__(self, name: str, url: str, body: Callable[[Message], dict[str, Any]]) -> None:
        self._name, self._url, self._body = name, url, body

    def send(self, message: Message) -> None:
        """Post the message; no error shows the URL, which may be a secret.

        Raises:
            UnreachableError: no answer comes.
            RefusedError: the answer is an error.
        """
        body = self._body(message)
        try:
            answer = requests.post(self._url, json=body, timeout=_TIMEOUT_S, allow_redirects=False)
        except requests.RequestException as error:
            reason = f"{self._name} does not answer: {type(error).__name__}"
            raise UnreachableError(reason) from None
        if not answer.ok or answer.is_redirect:
            text = " ".join(answer.text.split())[:_MAX_REASON_CHARS]
            reason = f"{self._name} answers {answer.status_code} {text}"
            raise RefusedError(reason, answer.status_code)


def slack_body(message: Message) -> dict[str, Any]:
    """Return the message for an incoming webhook of Slack."""
    text = f"*{_escaped(message.title)}*\n```{_escaped(message.text)[:_SLACK_CHARS]}```"
    return {"text": text}


def webhook_body(message: Message) -> dict[str, Any]:
    """Return the message with the fields of Grafana's webhook, so that a receiver serves both.

    The form: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
    """
    alerts = [
        *(_alert(one, message, "firing") for one in message.firing),
        *(_alert(one, message, "resolved") for one in message.resolved),
    ]
    return {
        "receiver": "lokikit",
        "status": message.status,
        "alerts": alerts,
        "groupLabels": {LABEL_SERVICE: message.service} if message.service else {},
        "commonLabels": _common(one["labels"] for one in alerts),
        "commonAnnotations": _common(one["annotations"] for one in alerts),
        "externalURL": "",
        "version": "1",
        "groupKey": message.service,
        "truncatedAlerts": 0,
        "title": message.title,
        "state": "alerting" if message.firing else "ok",
        "message": message.text,
    }


def _alert(alert: Alert, message: Message, status: str) -> dict[str, Any]:
    lines = message.lines.get(alert.fingerprint, ())
    return {
        "status": status,
        "labels": {"alertname": alert.title, "rule": alert.rule, **alert.labels},
        "annotations": {"summary": alert.summary, "runbook": alert.runbook},
        "startsAt": in_seconds(alert.since_ns),
        "endsAt": _NEVER if status == "firing" else in_seconds(message.time_ns),
        "generatorURL": alert.page,
        "dashboardURL": alert.page,
        "fingerprint": alert.fingerprint,
        "valueString": alert.value,
        "lines": [clean(one) for one in lines],
    }


def _common(mappings: Iterable[dict[str, str]]) -> dict[str, str]:
    """Return the items that all mappings share."""
    first, *others = mappings
    return {
        name: value
        for name, value in first.items()
        if all(one.get(name) == value for one in others)
    }


def _escaped(text: str) -> str:
    """Return the text with escapes, so that it holds no link, mention or end of the block."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, entity)
    return text.replace("```", "'''")
