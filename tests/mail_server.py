"""A mail server on 127.0.0.1 that keeps what it gets, with TLS and passwords where asked."""

from __future__ import annotations

from contextlib import contextmanager
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from tests.ports import free_ports

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from email.message import EmailMessage


class Mailbox:
    """What has come, and what to answer.

    Args:
        refusal: answered to each mail in place of taking it; may be changed at any time.
    """

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.address = ""

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one mail, or refuse it."""
        if self.refusal:
            return self.refusal
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append(message_from_bytes(content, policy=policy.default))
        self.recipients.append(list(map(str, envelope.rcpt_tos)))
        return "250 taken"

    def check(
        self, _server: SMTP, _session: Any, _envelope: Any, _way: str, said: Any
    ) -> AuthResult:
        """Take any login, and keep it."""
        assert isinstance(said, LoginPassword)
        self.logins.append((said.login, said.password))
        return AuthResult(success=True)


@contextmanager
def mail_server(
    tls: ssl.SSLContext | None = None, *, host: str = "127.0.0.1", **settings: Any
) -> Iterator[Mailbox]:
    """A mail server, up until the end of the block.

    Args:
        tls: offers STARTTLS with that certificate.
        host: the address that it listens on.
        settings: of aiosmtpd's server.
    """
    mailbox = Mailbox()
    (port,) = free_ports(1)
    controller = Controller(
        mailbox,
        hostname=host,
        port=port,
        tls_context=tls,
        authenticator=mailbox.check,
        **settings,
    )
    mailbox.address = f"{host}:{port}"
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
