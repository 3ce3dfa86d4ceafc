from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import trustme
from tests.mail_server import mail_server
from tests.ports import free_ports
from tests.unit.alerts.messages import firing

from lokikit.alerts.mail import Mail
from lokikit.errors import RefusedError, UnreachableError
from lokikit.stack.grafana.contacts import Contacts

if TYPE_CHECKING:
    from tests.mail_server import Mailbox

TO = ("ops@example.com", "dev@example.com")
LOGIN = {"smtp_user": "ops", "smtp_password": "pa$$word"}


def contacts(mailbox: Mailbox, **more: str) -> Contacts:
    return Contacts(mail_to=TO, smtp_host=mailbox.address, smtp_from="lokikit@example.com", **more)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_one_mail_goes_to_all_addresses() -> None:
    with mail_server() as mailbox:
        Mail(contacts(mailbox)).send(firing())
    (mail,) = mailbox.mails
    assert mailbox.recipients == [list(TO)]
    assert mail["Subject"] == "[FIRING:1] shop: Many errors"
    assert mail["From"] == "lokikit@example.com"
    assert mail["Date"] == "Fri, 15 Jan 2027 08:00:00 +0000"
    assert "shop  gone" in mail.get_content()


def test_any_text_is_a_subject() -> None:
    with mail_server() as mailbox:
        Mail(contacts(mailbox)).send(firing("caf\xe9 \U0001f4a5\r\nBcc: all@example.com"))
    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    assert "caf\xe9 \U0001f4a5" in mail["Subject"]


def test_lone_surrogate_is_sent_as_a_mark() -> None:
    with mail_server() as mailbox:
        Mail(contacts(mailbox)).send(firing("caf\udce9", line="\ud800"))
    assert len(mailbox.mails) == 1


def test_connection_is_encrypted_where_the_server_offers_it(authority: trustme.CA) -> None:
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with mail_server(server_tls(authority), require_starttls=True) as mailbox:
        Mail(contacts(mailbox, **LOGIN), trusted).send(firing())
    assert len(mailbox.mails) == 1
    assert mailbox.logins == [(b"ops", b"pa$$word")]


def test_certificate_that_nobody_trusts_gets_no_mail(authority: trustme.CA) -> None:
    with mail_server(server_tls(authority)) as mailbox, pytest.raises(UnreachableError):
        Mail(contacts(mailbox, **LOGIN)).send(firing())
    assert mailbox.mails == mailbox.logins == []


def test_password_goes_over_no_plain_connection_to_another_machine() -> None:
    with mail_server(host="127.0.0.2", auth_require_tls=False) as mailbox:
        mail = Mail(contacts(mailbox, **LOGIN))
        with pytest.raises(UnreachableError, match="not sent in the clear"):
            mail.send(firing())
    assert mailbox.logins == []


def test_refusal_is_said_in_the_words_of_the_server() -> None:
    with mail_server() as mailbox:
        mailbox.refusal = "554 no room"
        with pytest.raises(RefusedError, match="554 no room"):
            Mail(contacts(mailbox)).send(firing())


def test_server_that_is_away_is_named() -> None:
    (port,) = free_ports(1)
    away = Contacts(mail_to=TO, smtp_host=f"127.0.0.1:{port}", smtp_from="a@example.com")
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{port}"):
        Mail(away).send(firing())
