"""Alerts through the library apprise: Teams, Telegram, ntfy and a hundred other services."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lokikit.errors import RefusedError, SettingsError, needs_extra

with needs_extra("alerts", "ALERT_URLS"):
    import apprise

if TYPE_CHECKING:
    from lokikit.alerts.message import Message


class AppriseWay:
    """An address of apprise.

    Args:
        url: URL in the form of https://appriseit.com/services/.

    Raises:
        SettingsError: apprise does not know it.
    """

    def __init__(self, url: str) -> None:
        self._scheme = url.partition("://")[0]
        self._apprise = apprise.Apprise()
        if not self._apprise.add(url):
            raise SettingsError(
                f"ALERT_URLS: apprise does not know the address {self._scheme}://…: see "
                "https://appriseit.com/services/."
            )

    def send(self, message: Message) -> None:
        """Notify the address.

        Raises:
            RefusedError: apprise could not send it.
        """
        kind = apprise.NotifyType.FAILURE if message.firing else apprise.NotifyType.SUCCESS
        with apprise.LogCapture(level=logging.WARNING) as said:  # type: ignore[no-untyped-call]
            taken = self._apprise.notify(
                body=message.text,
                title=message.title,
                notify_type=kind,
                body_format=apprise.NotifyFormat.TEXT,
            )
            reason = " ".join(said.getvalue().split())
        if not taken:
            raise RefusedError(f"{self._scheme}: {reason or 'apprise could not send it'}", 0)
