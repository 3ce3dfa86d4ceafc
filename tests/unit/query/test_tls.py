"""Queries and pushes over TLS: whom they trust, and as who they come."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme
from websockets.sync.server import serve

from lokikit.delivery.push_api import Outcome, Pusher
from lokikit.errors import UnreachableError
from lokikit.query.client import Loki
from lokikit.query.live_tail import open_feed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from websockets.sync.server import ServerConnection

ELSEWHERE = "0.0.0.0"  # noqa: S104 - this machine, by a name that is not of loopback
MESSAGE = {"streams": [{"stream": {"a": "b"}, "values": [["1795255200000000000", "hello"]]}]}


class Handler(BaseHTTPRequestHandler):
    """Answers a question for labels, and one for lines with none."""

    def do_GET(self) -> None:
        """Answer."""
        data = ["a"] if "labels" in self.path else {"resultType": "streams", "result": []}
        body = json.dumps({"status": "success", "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """Take a push."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


class Guarded:
    """A server that only takes clients with a certificate of its authority.

    Args:
        folder: takes the files for clients.
    """

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca_file, self.client_cert = folder / "ca.pem", str(folder / "client.pem")
        authority.cert_pem.write_to_path(str(self.ca_file))
        client = authority.issue_cert("client@lokikit.test")
        client.private_key_and_cert_chain_pem.write_to_path(self.client_cert)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", ELSEWHERE).configure_cert(self.context)
        authority.configure_trust(self.context)
        self.context.verify_mode = ssl.CERT_REQUIRED


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    """What the servers of this module ask of their clients."""
    return Guarded(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def url(guarded: Guarded) -> Iterator[str]:
    """Where questions are answered."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = guarded.context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_both_sides_show_their_certificates(
    guarded: Guarded, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the right files a question is answered, whatever the environment trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with Loki(url, ca_file=guarded.ca_file, client_cert=guarded.client_cert) as loki:
        assert loki.labels() == ["a"]
    with (
        Loki(url, client_cert=guarded.client_cert, verify=False) as loki,
        pytest.warns(match="Unverified HTTPS request"),
    ):
        assert loki.labels() == ["a"]


def test_the_certificates_of_the_environment_count_on_this_machine_too(
    guarded: Guarded, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loki is often behind a tunnel of SSH, under an address of loopback."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(guarded.ca_file))
    with Loki(url, client_cert=guarded.client_cert) as loki:
        assert loki.labels() == ["a"]


@pytest.mark.parametrize("bundle", ["absent.pem", "client.txt"])
def test_a_file_without_certificates_is_named(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: str
) -> None:
    (tmp_path / "client.txt").write_text("no certificate")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / bundle))
    fix = "REQUESTS_CA_BUNDLE or ca_file has to name a PEM file"
    with Loki(url, timeout_s=0.1) as loki, pytest.raises(UnreachableError, match=fix):
        loki.labels()
    assert fix in Pusher(url).push([]).reason


def test_a_certificate_for_another_host_is_not_put_down_to_the_authority(
    guarded: Guarded, url: str
) -> None:
    other = url.replace("127.0.0.1", "localhost")
    with (
        Loki(other, ca_file=guarded.ca_file, timeout_s=0.1) as loki,
        pytest.raises(UnreachableError, match="name its host as the certificate does"),
    ):
        loki.labels()


def test_a_server_of_another_authority_is_not_asked(guarded: Guarded, url: str) -> None:
    """Without its certificate nobody is trusted."""
    fix = "name the certificates to trust, REQUESTS_CA_BUNDLE=/path/ca.pem"
    with pytest.raises(UnreachableError, match=fix):
        Loki(url, client_cert=guarded.client_cert, timeout_s=0.1).labels()
    assert fix in Pusher(url).push([]).reason


def test_a_loki_without_tls_is_named() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"https://127.0.0.1:{server.server_port}"
        assert "use http://" in Pusher(url).push([]).reason
        server.shutdown()


def test_a_push_trusts_what_it_is_told_to(
    guarded: Guarded, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment's certificates do not matter; on loopback it is not read at all."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    monkeypatch.setenv("NO_PROXY", "*")
    elsewhere = url.replace("127.0.0.1", ELSEWHERE)
    pusher = Pusher(elsewhere, verify=str(guarded.ca_file), client_cert=guarded.client_cert)
    assert pusher.push([]).outcome is Outcome.DONE
    pusher.close()


def test_the_live_tail_shows_them_too(guarded: Guarded) -> None:
    """A websocket is opened with the same files."""

    def send(connection: ServerConnection) -> None:
        connection.send(json.dumps(MESSAGE))
        connection.recv()

    with serve(send, "127.0.0.1", 0, ssl=guarded.context) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.socket.getsockname()[1]
        loki = Loki(
            f"https://127.0.0.1:{port}", ca_file=guarded.ca_file, client_cert=guarded.client_cert
        )
        with open_feed(loki._transport, '{a="b"}') as feed:
            entries, _ = feed.receive(30)
        server.shutdown()
    assert [entry.line for entry in entries] == ["hello"]
