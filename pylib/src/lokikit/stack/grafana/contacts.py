"""Who gets alerts: read from the environment, for Grafana's provisioning or `lokikit alerts`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lokikit.errors import SettingsError
from lokikit.fields import LABEL_SERVICE
from lokikit.times import NS_PER_S, parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PREFIX = "ALERT_"
"""Of every variable that is read here; some of them are secrets."""
RECEIVER = "lokikit"
"""The one contact point: each way that is set is an integration of it."""
KINDS = ("email", "webhook", "slack")
"""What Grafana calls the ways."""
_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")
_SERVER = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}", re.ASCII)
_ORG = 1
GROUP_TIMES = {"group_wait": "30s", "group_interval": "5m"}
_LEAST_REPEAT_NS = 60 * NS_PER_S
REPEAT = "4h"
"""How long after a message it comes again, while the alert fires on."""
_NEXT_URL = re.compile(r"[\s,]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")
_APPRISE_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", re.ASCII)


@dataclass(frozen=True)
class Contacts:
    """The contacts for alerts.

    Args:
        mail_to: mail addresses, empty for no mail.
        smtp_host: host and port of the mail server.
        smtp_from: sender of the mails.
        smtp_user: user at the mail server, empty for no login.
        smtp_password: password of that user.
        webhook_url: gets Grafana's JSON by POST, empty for nothing.
        slack_url: an incoming webhook of Slack, empty for nothing.
        urls: addresses of the library apprise; only `lokikit alerts` sends there.
        page_url: where the links of `lokikit alerts` lead; empty for the page of this machine.
        repeat: how long after a message it comes again, while the alert fires on.
    """

    mail_to: tuple[str, ...] = ()
    smtp_host: str = ""
    smtp_from: str = ""
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    webhook_url: str = field(default="", repr=False)
    slack_url: str = field(default="", repr=False)
    urls: tuple[str, ...] = field(default=(), repr=False)
    page_url: str = ""
    repeat: str = REPEAT

    @property
    def ways(self) -> dict[str, dict[str, Any]]:
        """Those of `KINDS` that are set, and Grafana's settings for each."""
        settings: dict[str, dict[str, Any]] = {
            "email": {"addresses": ";".join(self.mail_to), "singleEmail": True},
            "webhook": {"url": self.webhook_url},
            "slack": {"url": self.slack_url},
        }
        given = (self.mail_to, self.webhook_url, self.slack_url)
        return {kind: settings[kind] for kind, one in zip(KINDS, given, strict=True) if one}

    @property
    def names(self) -> list[str]:
        """All ways, without what is secret of them: mail with its addresses, webhook, ntfy …."""
        named = {"email": f"mail to {', '.join(self.mail_to)}"}
        schemes = [one.partition("://")[0] for one in self.urls]
        return [*(named.get(kind, kind) for kind in self.ways), *schemes]

    def of_grafana(self) -> Contacts:
        """The contacts that a Grafana tells."""
        return replace(self, urls=())

    def beside_grafana(self) -> Contacts:
        """The contacts that `lokikit alerts` tells where a Grafana tells the others."""
        return Contacts(urls=self.urls, page_url=self.page_url, repeat=self.repeat)

    def __str__(self) -> str:
        """Return a sentence about the contacts."""
        if not self.names:
            return (
                "Nobody is told of an alert: set ALERT_MAIL_TO, ALERT_WEBHOOK_URL, "
                "ALERT_SLACK_URL or ALERT_URLS."
            )
        return f"Alerts are told by {', '.join(self.names)}."


def read_contacts(environ: Mapping[str, str] = os.environ) -> Contacts:
    """Return the contacts in the environment; an empty variable counts as unset.

    Raises:
        SettingsError: a variable means nothing, or lacks another; the text names the fix and,
            as each may be a secret, no URL and no password.
    """

    def get(name: str) -> str:
        value = environ.get(name, "").strip()
        if not value.isprintable():
            raise SettingsError(f"{name} holds a line break or another control character.")
        return value

    mail_to = tuple(part for part in re.split(r"[\s,;]+", get("ALERT_MAIL_TO")) if part)
    contacts = Contacts(
        mail_to=mail_to,
        smtp_host=get("ALERT_SMTP_HOST"),
        smtp_from=get("ALERT_SMTP_FROM") or next(iter(mail_to), ""),
        smtp_user=get("ALERT_SMTP_USER"),
        smtp_password=get("ALERT_SMTP_PASSWORD"),
        webhook_url=_url("ALERT_WEBHOOK_URL", get("ALERT_WEBHOOK_URL")),
        slack_url=_url("ALERT_SLACK_URL", get("ALERT_SLACK_URL")),
        urls=_apprise_urls(get("ALERT_URLS")),
        page_url=_url("ALERT_PAGE_URL", get("ALERT_PAGE_URL")).rstrip("/"),
        repeat=_repeat(get("ALERT_REPEAT")),
    )
    _check_mail(contacts)
    return contacts


def _url(name: str, value: str) -> str:
    """The value, when it is a URL or empty."""
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in value
    except ValueError:
        good = False
    if value and not good:
        raise SettingsError(f"{name} is no URL: write it like https://host/path.")
    return value


def _apprise_urls(value: str) -> tuple[str, ...]:
    """The addresses in the value, between which spaces or commas stand."""
    urls = tuple(one for one in _NEXT_URL.split(value.strip(" ,")) if one)
    if not all(map(_APPRISE_URL.fullmatch, urls)):
        raise SettingsError(
            "ALERT_URLS holds what is no URL: write them like ntfy://topic tgram://token/chat."
        )
    return urls


def _repeat(value: str) -> str:
    """A duration of a minute or more."""
    repeat = value or REPEAT
    if parse_duration_ns(repeat, "ALERT_REPEAT") < _LEAST_REPEAT_NS:
        raise SettingsError(f"ALERT_REPEAT={repeat!r} is too short: use 1m or more.")
    return repeat


def _check_mail(one: Contacts) -> None:
    for address in one.mail_to:
        _check_address("ALERT_MAIL_TO", address)
    if one.smtp_from:
        _check_address("ALERT_SMTP_FROM", one.smtp_from)
    if one.mail_to and not one.smtp_host:
        raise SettingsError("ALERT_MAIL_TO needs a mail server: set ALERT_SMTP_HOST=host:port.")
    if one.smtp_host and not one.mail_to:
        raise SettingsError("ALERT_SMTP_HOST is set, but nobody to mail to: set ALERT_MAIL_TO.")
    if one.smtp_host and not _SERVER.fullmatch(one.smtp_host):
        raise SettingsError(
            f"ALERT_SMTP_HOST={one.smtp_host!r} is no server: write it like mail.example.com:587."
        )
    if one.smtp_password and not one.smtp_user:
        raise SettingsError("ALERT_SMTP_PASSWORD is set, but no user: set ALERT_SMTP_USER.")


def _check_address(name: str, address: str) -> None:
    if not _ADDRESS.fullmatch(address):
        raise SettingsError(
            f"{name}: {address!r} is no mail address: write it like ops@example.com."
        )


def contact_file(contacts: Contacts, before: Iterable[str]) -> dict[str, Any] | None:
    """What Grafana's provisioning file says, `None` when there is nothing to say.

    Args:
        contacts: the contacts for alerts.
        before: the ways that an earlier file of the same Grafana had. Grafana keeps what a file
            does not name any more, so they must be named as gone.
    """
    ways = contacts.ways
    gone = [kind for kind in KINDS if kind in set(before) - set(ways)]
    if not ways and not gone:
        return None
    content: dict[str, Any] = {"apiVersion": 1}
    if ways:
        content["contactPoints"] = [_contact_point(ways)]
        policy = {"receiver": RECEIVER, "group_by": [LABEL_SERVICE], **GROUP_TIMES}
        policy["repeat_interval"] = contacts.repeat
        content["policies"] = [{"orgId": _ORG, **policy}]
    else:
        content["resetPolicies"] = [_ORG]
    if gone:
        content["deleteContactPoints"] = [{"orgId": _ORG, "uid": _uid(kind)} for kind in gone]
    return content


def _contact_point(ways: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    receivers = [
        {"uid": _uid(kind), "type": kind, "settings": _literal(settings)}
        for kind, settings in ways.items()
    ]
    return {"orgId": _ORG, "name": RECEIVER, "receivers": receivers}


def _uid(kind: str) -> str:
    return f"{RECEIVER}-{kind}"


def _literal(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings with each `$` doubled: Grafana takes a single one for a variable."""
    return {
        name: value.replace("$", "$$") if isinstance(value, str) else value
        for name, value in settings.items()
    }
