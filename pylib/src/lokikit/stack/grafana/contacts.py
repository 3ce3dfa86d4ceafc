"""The contacts for alerts, read from the environment, for Grafana and `lokikit alerts`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from lokikit.errors import SettingsError
from lokikit.fields import LABEL_SERVICE
from lokikit.times import NS_PER_S, parse_duration_ns

PREFIX = "ALERT_"
"""Prefix of every variable that is read here; some of them are secrets."""
RECEIVER = "lokikit"
"""Name of the contact point; each kind of contact is an integration of it."""
KINDS = ("email", "webhook", "slack")
"""Grafana's names of the kinds of contacts."""
_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")
_SERVER = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}", re.ASCII)
_ORG = 1
GROUP_TIMES = {"group_wait": "30s", "group_interval": "5m"}
_LEAST_REPEAT_NS = 60 * NS_PER_S
REPEAT = "4h"
"""Time after which a message is repeated while its alert still fires."""
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
        webhook_url: URL that gets Grafana's JSON by POST, empty for no webhook.
        slack_url: an incoming webhook of Slack, empty for no Slack.
        urls: addresses of the library apprise; only `lokikit alerts` sends there.
        page_url: page for the links of `lokikit alerts`; empty for the page of this machine.
        repeat: time after which a message is repeated while its alert still fires.
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
        """Kind -> Grafana's settings, for each kind of contact that is set."""
        ways: dict[str, dict[str, Any]] = {}
        if self.mail_to:
            ways["email"] = {"addresses": ";".join(self.mail_to), "singleEmail": True}
        if self.webhook_url:
            ways["webhook"] = {"url": self.webhook_url}
        if self.slack_url:
            ways["slack"] = {"url": self.slack_url}
        return ways

    @property
    def names(self) -> list[str]:
        """Names of all contacts, without secrets: mail with its addresses, webhook, ntfy …."""
        named = {"email": f"mail to {', '.join(self.mail_to)}"}
        schemes = [url.partition("://")[0] for url in self.urls]
        return [*(named.get(kind, kind) for kind in self.ways), *schemes]

    def of_grafana(self) -> Contacts:
        """Return the contacts that a Grafana sends to."""
        return replace(self, urls=())

    def beside_grafana(self) -> Contacts:
        """Return the contacts of `lokikit alerts` where a Grafana sends to the others."""
        return Contacts(urls=self.urls, page_url=self.page_url, repeat=self.repeat)

    def __str__(self) -> str:
        """Return a sentence about the contacts."""
        if not self.names:
            return (
                "Nobody is told of an alert: set ALERT_MAIL_TO, ALERT_WEBHOOK_URL, "
                "ALERT_SLACK_URL or ALERT_URLS."
            )
        return f"Alerts are sent by {', '.join(self.names)}."


def read_contacts(environ: Mapping[str, str] = os.environ) -> Contacts:
    """Return the contacts in the environment; an empty variable counts as unset.

    Raises:
        SettingsError: a variable is wrong, or needs another; the text names the fix, but no URL
            and no password, which may be secrets.
    """

    def get(name: str) -> str:
        value = environ.get(name, "").strip()
        if not value.isprintable():
            raise SettingsError(
                f"{name} holds a line break or another control character: write it on one line."
            )
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
    """Return the value, which is a URL or empty."""
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in value
    except ValueError:
        good = False
    if value and not good:
        raise SettingsError(f"{name} is no URL: write it like https://host/path.")
    return value


def _apprise_urls(value: str) -> tuple[str, ...]:
    """Return the addresses in a value, which are separated by spaces or commas."""
    urls = tuple(url for url in _NEXT_URL.split(value.strip(" ,")) if url)
    if not all(map(_APPRISE_URL.fullmatch, urls)):
        raise SettingsError(
            "ALERT_URLS holds what is no URL: write them like ntfy://topic tgram://token/chat."
        )
    return urls


def _repeat(value: str) -> str:
    """Return the duration in the value, a minute or more."""
    repeat = value or REPEAT
    if parse_duration_ns(repeat, "ALERT_REPEAT") < _LEAST_REPEAT_NS:
        raise SettingsError(f"ALERT_REPEAT={repeat!r} is too short: use 1m or more.")
    return repeat


def _check_mail(contacts: Contacts) -> None:
    for address in contacts.mail_to:
        _check_address("ALERT_MAIL_TO", address)
    if contacts.smtp_from:
        _check_address("ALERT_SMTP_FROM", contacts.smtp_from)
    if contacts.mail_to and not contacts.smtp_host:
        raise SettingsError("ALERT_MAIL_TO needs a mail server: set ALERT_SMTP_HOST=host:port.")
    if contacts.smtp_host and not contacts.mail_to:
        raise SettingsError("ALERT_SMTP_HOST is set, but nobody to mail to: set ALERT_MAIL_TO.")
    if contacts.smtp_host and not _SERVER.fullmatch(contacts.smtp_host):
        raise SettingsError(
            f"ALERT_SMTP_HOST={contacts.smtp_host!r} is no server: "
            "write it like mail.example.com:587."
        )
    if contacts.smtp_password and not contacts.smtp_user:
        raise SettingsError("ALERT_SMTP_PASSWORD is set, but no user: set ALERT_SMTP_USER.")


def _check_address(name: str, address: str) -> None:
    if not _ADDRESS.fullmatch(address):
        raise SettingsError(
            f"{name}: {address!r} is no mail address: write it like ops@example.com."
        )


def contact_file(contacts: Contacts, before: Iterable[str]) -> dict[str, Any] | None:
    """Return the content of Grafana's provisioning file, `None` for no file.

    Args:
        contacts: the contacts for alerts.
        before: kinds of contacts in earlier files of the same Grafana, which keeps them until a
            file deletes them by name.
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
    """Return the settings with each `$` doubled: Grafana reads a single `$` as a variable."""
    return {
        name: value.replace("$", "$$") if isinstance(value, str) else value
        for name, value in settings.items()
    }
