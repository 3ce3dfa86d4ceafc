"""Alerts by mail."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lokikit.errors import RefusedError, UnreachableError
from lokikit.times import utc_time

if TYPE_CHECKING:
    from lokikit.alerts.message import Message
    from lokikit.stack.grafana.contacts import Contacts

_TIMEOUT_S = 15
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_TLS_PORT = 465
"""Port of servers that speak TLS from the first byte."""


class Mail:
    """Sends each message as one mail to all addresses.

    The connection is encrypted if the server offers TLS. A password is sent over an encrypted
    connection only, or to a server of this machine.

    Args:
        contacts: the server and the addresses.
        trusted: certificates to trust; by default the certificates of the system.
    """

    def __init__(self, contacts: Contacts, trusted: ssl.SSLContext | None = None) -> None:
        self._contacts = contacts
        self._trusted = trusted or ssl.create_default_context()
        place = urlsplit(f"//{contacts.smtp_host}")
        self._host, self._port = place.hostname or "", place.port or 0

    def send(self, message: Message) -> None:
        """Send one mail.

        Raises:
            UnreachableError: the server does not answer.
            RefusedError: the server does not take the mail or the password.
        """
        where = f"the mail server {self._contacts.smtp_host}"
        try:
            with self._connected() as server:
                server.send_message(self._mail(message))
        except smtplib.SMTPResponseException as error:
            reason = f"{error.smtp_code} {_text(error.smtp_error)}"
            raise RefusedError(f"{where} refuses: {reason}", error.smtp_code) from None
        except smtplib.SMTPRecipientsRefused as error:
            raise RefusedError(f"{where} refuses {', '.join(error.recipients)}", 550) from None
        except (smtplib.SMTPException, OSError) as error:
            raise UnreachableError(f"{where} cannot be used: {error}") from None

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        if self._port == _TLS_PORT:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=_TIMEOUT_S, context=self._trusted
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_S)
        with server:
            server.ehlo_or_helo_if_needed()
            is_secure = self._port == _TLS_PORT
            if not is_secure and server.has_extn("starttls"):
                server.starttls(context=self._trusted)
                is_secure = True
            if self._contacts.smtp_user:
                self._log_in(server, is_secure=is_secure)
            yield server

    def _log_in(self, server: smtplib.SMTP, *, is_secure: bool) -> None:
        if not is_secure and self._host not in _LOOPBACK:
            raise smtplib.SMTPException("it offers no TLS, and a password is not sent in the clear")
        server.login(self._contacts.smtp_user, self._contacts.smtp_password)

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = message.title
        mail["From"] = self._contacts.smtp_from
        mail["To"] = ", ".join(self._contacts.mail_to)
        mail["Date"] = format_datetime(utc_time(message.time_ns))
        mail["Message-ID"] = make_msgid(domain=self._contacts.smtp_from.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer
