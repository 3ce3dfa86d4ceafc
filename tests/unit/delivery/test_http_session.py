from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
import requests
import trustme

from lokikit.delivery.address import read_address
from lokikit.delivery.http_session import LokiSession, Tls

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.53", "[::1]"])
def test_the_environment_decides_nothing_for_a_loki_of_this_machine(host: str) -> None:
    """A proxy cannot reach the loopback."""
    address = read_address(f"http://{host}:3100")
    assert address.is_local
    assert not LokiSession(address, {}, Tls()).trust_env


def test_a_loki_elsewhere_is_reached_through_the_proxy_of_the_environment() -> None:
    address = read_address("http://loki.example:3100")
    assert LokiSession(address, {}, Tls()).trust_env


def test_certificates_go_with_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """`REQUESTS_CA_BUNDLE` would win over the certificates of a session."""
    sent: list[dict[str, object]] = []

    def keep(_: object, *__: object, **options: object) -> requests.Response:
        sent.append(options)
        return requests.Response()

    monkeypatch.setattr(requests.Session, "request", keep)
    session = LokiSession(read_address("https://h"), {}, Tls("ca.pem", ("cert.pem", "key.pem")))
    session.get("https://h/ready")
    session.post("https://h/push", b"{}")
    used = [(options["verify"], options["cert"]) for options in sent]
    assert used == [("ca.pem", ("cert.pem", "key.pem"))] * 2


def test_a_context_that_trusts_any_server_checks_no_name() -> None:
    context = Tls(verify=False).context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_a_context_needs_no_certificates_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slim image has none; requests brings its own."""
    (tmp_path / "empty.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "empty.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert Tls().context().get_ca_certs()


def test_a_context_trusts_what_requests_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A live tail behind the authority of a company needs no second variable."""
    bundle = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    assert len(Tls().context().get_ca_certs()) == 1
