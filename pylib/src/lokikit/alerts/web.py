"""Alerts by HTTP: a webhook in the form of Grafana's, and Slack's incoming webhook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from lokikit.alerts.message import clean, in_seconds
from lokikit.errors import RefusedError, UnreachableError
from lokikit.fields import LABEL_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lokikit.alerts.alert import Alert
    from lokikit.alerts.message import Message

_TIMEOUT_S = 15
_SLACK_CHARS = 3900
"""Slack cuts a message at 4,000 characters."""
_NEVER = "0001-01-01T00:00:00Z"
"""The end of an alert that fires still, as Grafana writes it."""


class Webhook:
    """Posts JSON with the fields of Grafana's webhook, so that one receiver serves both.

    The form: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/

    Args:
        url: where.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: Message) -> None:
        """Post the message.

        Raises:
            UnreachableError: there is no answer.
            RefusedError: the answer is no success.
        """
        _post("the webhook", self._url, webhook_body(message))


class Slack:
    """Posts to an incoming webhook of Slack.

    Args:
        url: where.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: Message) -> None:
        """Post the message as text.

        Raises:
            UnreachableError: there is no answer.
            RefusedError: the answer is no success.
        """
        text = f"*{_escaped(message.title)}*\n```{_escaped(message.text)[:_SLACK_CHARS]}```"
        _post("Slack", self._url, {"text": text})


def webhook_body(message: Message) -> dict[str, Any]:
    """The JSON of a message."""
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
    """What all of them have."""
    first, *others = mappings
    return {
        name: value
        for name, value in first.items()
        if all(one.get(name) == value for one in others)
    }


def _escaped(text: str) -> str:
    """The text as Slack wants it: nothing in it is a link, a mention or the end of the block."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, entity)
    return text.replace("```", "'''")


def _post(name: str, url: str, body: dict[str, Any]) -> None:
    """Post JSON; no error shows the URL, which may be a secret."""
    try:
        answer = requests.post(url, json=body, timeout=_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        raise UnreachableError(f"{name} does not answer: {type(error).__name__}") from None
    if not answer.ok or answer.is_redirect:
        reason = " ".join(answer.text.split())[:200]
        raise RefusedError(f"{name} answers {answer.status_code} {reason}", answer.status_code)
