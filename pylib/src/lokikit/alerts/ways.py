"""The ways of messages: mail, webhook, Slack, and the services of apprise."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from lokikit.alerts.mail import Mail
from lokikit.alerts.web import HttpWay, slack_body, webhook_body

if TYPE_CHECKING:
    from lokikit.alerts.message import Message
    from lokikit.stack.grafana.contacts import Contacts

_ID_CHARS = 8


class Way(Protocol):
    """A way of messages."""

    def send(self, message: Message) -> None:
        """Send a message, and return when the other side has accepted it.

        Raises:
            LokikitError: it was not accepted.
        """


def ways_of(contacts: Contacts) -> dict[str, Way]:
    """Return name -> way, for all contacts; no name holds a secret.

    Raises:
        PrerequisiteError: `ALERT_URLS` is set, and apprise is not installed.
        SettingsError: apprise does not know one of its URLs.
    """
    ways: dict[str, Way] = {}
    if contacts.mail_to:
        ways["email"] = Mail(contacts)
    if contacts.webhook_url:
        ways["webhook"] = HttpWay("the webhook", contacts.webhook_url, webhook_body)
    if contacts.slack_url:
        ways["slack"] = HttpWay("Slack", contacts.slack_url, slack_body)
    if contacts.urls:
        from lokikit.alerts.apprise_way import AppriseWay  # noqa: PLC0415 - needs the extra

        for url in contacts.urls:
            scheme = url.partition("://")[0]
            number = hashlib.sha256(url.encode()).hexdigest()[:_ID_CHARS]
            ways[f"{scheme} {number}"] = AppriseWay(url)
    return ways
