from __future__ import annotations

import gzip
import logging
import random
import re
import socket
import struct
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import orjson
import pytest
import requests

from lokikit.delivery.address import read_address
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import Answer, Outcome, Pusher, classify, payload
from lokikit.delivery.retry import MAX_RETRY_AFTER_S, backoff_s, parse_retry_after_s
from lokikit.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABELS = {"service_name": "a"}
ENTRIES = [
    Entry(1, "one", LABELS, {"host": "h"}),
    Entry(2, "two", {"service_name": "b"}, {}),
    Entry(3, "three", LABELS, {}),
]


def read_request(connection: socket.socket) -> bytes:
    """One whole request: closing on unread bytes would reset the connection."""
    request = b""
    while chunk := connection.recv(65536):
        request += chunk
        head, _, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if length and len(body) >= int(length[1]):
            break
    return request


class Peer:
    """A server that answers each connection with the same bytes, whatever it is asked."""

    def __init__(self, answer: bytes, *, reset: bool, hold: bool) -> None:
        self.requests: list[bytes] = []
        self._answer, self._reset, self._hold = answer, reset, hold
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            connection = self._listener.accept()[0]
            if not (request := read_request(connection)):
                connection.close()
                return
            self.requests.append(request)
            connection.sendall(self._answer)
            if self._hold:
                self._held.append(connection)
                continue
            if self._reset:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.close()

    def close(self) -> None:
        """End it."""
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        for one in [self._listener, *self._held]:
            one.close()


@pytest.fixture
def peers() -> Iterator[list[Peer]]:
    """Peers that are closed with the test."""
    made: list[Peer] = []
    yield made
    for peer in made:
        peer.close()


def push_to(peers: list[Peer], answer: bytes, *, reset: bool = False, hold: bool = False) -> Answer:
    """What a push makes of an answer."""
    peers.append(Peer(answer, reset=reset, hold=hold))
    pusher = Pusher(peers[-1].url, timeout_s=(0.5, 0.2))
    try:
        return pusher.push(ENTRIES)
    finally:
        pusher.close()


def test_payload_groups_by_stream() -> None:
    """Entries stand under their stream, in their order, timestamps as text."""
    first = [["1", "one", {"host": "h"}], ["3", "three", {}]]
    second = [["2", "two", {}]]
    assert orjson.loads(payload(ENTRIES))["streams"] == [
        {"stream": {"service_name": "a"}, "values": first},
        {"stream": {"service_name": "b"}, "values": second},
    ]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, Outcome.DONE), (204, Outcome.DONE), (400, Outcome.SPLIT), (413, Outcome.SPLIT)]
    + [(status, Outcome.CONFIGURATION) for status in (301, 302, 401, 403, 404, 405, 415)]
    + [(status, Outcome.RETRY) for status in (408, 429, 500, 502, 503, 504, 507)],
)
def test_each_status_has_its_outcome(status: int, outcome: Outcome) -> None:
    """The status alone decides what happens to the entries."""
    assert classify(status, "why", {}).outcome is outcome


def test_refused_entries_are_counted_where_loki_counts() -> None:
    """Loki's own count of refused entries is read from its reason."""
    reason = "3 errors like: entry has timestamp too old: x; 12 errors like: entry too new"
    assert classify(400, reason, {}).refused == 15
    assert classify(400, "too far behind", {}).refused == 0


def test_configuration_says_what_to_check() -> None:
    """A 401 names the credentials, a 404 the URL."""
    assert "password" in classify(401, "", {}).reason
    assert "URL" in classify(404, "", {}).reason


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(None, 0), ("", 0), ("7", 7), ("1.5", 1.5), ("-3", 0), ("soon", 0), ("nan", 0)],
        *[("9999", MAX_RETRY_AFTER_S), ("inf", MAX_RETRY_AFTER_S)],
        *[("Thu, 01 Jan 1970 00:16:50 GMT", 10), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)],
    ],
)
def test_retry_after(value: str | None, expected: float) -> None:
    """`Retry-After` is honoured in both its forms, and capped."""
    assert parse_retry_after_s(value, lambda: 1_000.0) == expected


def test_backoff_has_full_jitter() -> None:
    """Waits spread from zero to a bound that doubles from 0.5 s to 30 s."""
    rng = random.Random(1)
    for attempt, longest_s in [(0, 0.5), (1, 1), (3, 4), (6, 30), (5_000, 30)]:
        waits = [backoff_s(attempt, rng) for _ in range(500)]
        assert longest_s * 0.9 < max(waits) <= longest_s
        assert min(waits) < longest_s * 0.1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h:1", "http://h:1/loki/api/v1/push"),
        ("https://h/prefix/", "https://h/prefix/loki/api/v1/push"),
        ("http://h:1/loki/api/v1/push", "http://h:1/loki/api/v1/push"),
    ],
)
def test_push_url(url: str, expected: str) -> None:
    """The base address and the full one are both understood."""
    assert read_address(url).push_url == expected


@pytest.mark.parametrize("url", ["", "h:3100", "ftp://h", "http://", "http://h:port", "http://[x"])
def test_no_url(url: str) -> None:
    """What is no HTTP address is refused with the right form."""
    with pytest.raises(SettingsError, match=r"http://127\.0\.0\.1:3100"):
        Pusher(url)


def test_credentials_are_not_in_the_target() -> None:
    """The name for notices does not show the password."""
    assert Pusher("http://me:secret@h:1/x").target == "http://h:1"


def test_no_compression_on_loopback(peers: list[Peer]) -> None:
    """The payload is plain on this machine, and gzip elsewhere or on request."""
    push_to(peers, b"HTTP/1.1 204 No Content\r\n\r\n")
    assert peers[0].requests[0].endswith(payload(ENTRIES))
    assert Pusher("http://loki.example").compress
    pusher = Pusher(peers[0].url, compress=True)
    assert pusher.push(ENTRIES).outcome is Outcome.DONE
    head, _, body = peers[0].requests[1].partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert gzip.decompress(body) == payload(ENTRIES)
    pusher.close()


def test_nobody_listens() -> None:
    """A refused connection is worth a retry and says so plainly."""
    answer = Pusher("http://127.0.0.1:9").push(ENTRIES)
    assert answer.outcome is Outcome.RETRY
    assert "Connection refused" in answer.reason


def test_reset_connection(peers: list[Peer]) -> None:
    """A connection reset before the answer is worth a retry."""
    assert push_to(peers, b"", reset=True).outcome is Outcome.RETRY


def test_silence(peers: list[Peer]) -> None:
    """No answer within the time limit is worth a retry."""
    answer = push_to(peers, b"", hold=True)
    assert answer.outcome is Outcome.RETRY
    assert "timed out" in answer.reason


@pytest.mark.parametrize("answer", [b"garbage\r\n\r\n", b"HTTP/1.1 2", b"\0\0"])
def test_answer_that_is_no_http(peers: list[Peer], answer: bytes) -> None:
    """Half a status line, or something else than HTTP, is worth a retry."""
    assert push_to(peers, answer).outcome is Outcome.RETRY


def test_half_a_reason(peers: list[Peer]) -> None:
    """When the text breaks off, the status counts and the text that came is kept."""
    half = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\nentry too old"
    answer = push_to(peers, half)
    assert answer.outcome is Outcome.SPLIT
    assert answer.reason.startswith("entry too old")


def test_reason_that_never_ends(peers: list[Peer]) -> None:
    """A text that does not come to its end in time does not hold the sender."""
    half = b"HTTP/1.1 429 Too Many\r\nRetry-After: 3\r\nContent-Length: 500\r\n\r\nslow"
    answer = push_to(peers, half, hold=True)
    assert answer.outcome is Outcome.RETRY
    assert answer.retry_after_s == 3


def test_redirect_is_not_followed(peers: list[Peer]) -> None:
    """A redirect to a login page is a wrong address, not a success."""
    answer = push_to(peers, b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n")
    assert answer.outcome is Outcome.CONFIGURATION


def test_own_code_never_logs(peers: list[Peer]) -> None:
    """A push puts no record of ours into `logging`; urllib3's own are its sender's to filter."""
    names: set[str] = set()

    class Spy(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            names.add(record.name)

    spy = Spy()
    logging.getLogger().addHandler(spy)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        push_to(peers, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
    finally:
        logging.getLogger().setLevel(level)
        logging.getLogger().removeHandler(spy)
    assert names <= {"urllib3.connectionpool"}


def test_light_imports() -> None:
    """The sending side pulls in neither the command line nor a client beyond requests."""
    code = "import sys, lokikit.delivery.push_api; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    ).stdout.split()
    assert not {"typer", "rich", "filelock", "dotenv"} & set(loaded)
    assert requests.__name__ in loaded


def test_a_failure_is_told_in_the_systems_words() -> None:
    """Not in those of three layers of libraries."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = Pusher(f"http://127.0.0.1:{port}").push(ENTRIES)
    assert (answer.outcome, answer.reason) == (Outcome.RETRY, "Connection refused")


def test_text_that_utf_8_cannot_say_is_replaced_in_a_payload() -> None:
    """Undecodable bytes of the environment are lone surrogates, which JSON does not take."""
    body = orjson.loads(payload([Entry(1, "a", {"service_name": "caf\udce9"}, {"k": "\ud800"})]))
    assert body["streams"] == [
        {"stream": {"service_name": "caf?"}, "values": [["1", "a", {"k": "?"}]]}
    ]


@pytest.fixture
def _netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have requests find credentials of another program for this machine."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other")
    monkeypatch.setenv("NETRC", str(netrc))


@pytest.mark.parametrize(
    ("in_url", "headers", "sent"),
    [
        ("", {"Authorization": "Bearer t"}, "Bearer t"),
        ("me:pw@", {}, "Basic bWU6cHc="),
        ("me:pw@", {"Authorization": "Bearer t"}, "Bearer t"),
        ("", {}, None),
    ],
)
@pytest.mark.usefixtures("_netrc")
def test_a_netrc_file_decides_nothing(
    peers: list[Peer], in_url: str, headers: dict[str, str], sent: str | None
) -> None:
    """It is not lokikit's setting; an explicit header wins over the credentials in a URL."""
    peers.append(Peer(b"HTTP/1.1 204 No Content\r\n\r\n", reset=False, hold=False))
    pusher = Pusher(peers[0].url.replace("//", f"//{in_url}"), headers=headers)
    pusher._session.trust_env = True  # as for a Loki on another machine
    assert pusher.push(ENTRIES).outcome is Outcome.DONE
    found = re.search(rb"(?i)authorization: ([^\r]+)", peers[0].requests[0])
    assert (found and found[1].decode()) == sent
    pusher.close()


PAGE = b"<!DOCTYPE html><html><body>Please log in</body></html>"


@pytest.mark.parametrize("kind", ["text/html", "application/json", "text/plain"])
@pytest.mark.parametrize("before", [b"", b"\r\n  ", b"\xef\xbb\xbf"])
def test_a_login_page_is_no_delivery(peers: list[Peer], kind: str, before: bytes) -> None:
    """Whatever Content-Type a proxy gives it."""
    answer = push_to(peers, _answer(200, kind, before + PAGE))
    assert answer.outcome is Outcome.CONFIGURATION
    assert "login" in answer.reason


@pytest.mark.parametrize("status", [200, 202, 204])
@pytest.mark.parametrize("kind", ["text/html", "application/json"])
@pytest.mark.parametrize("body", [b"", b"ok", b'{"status":"success"}'])
def test_other_receivers_may_answer_with_a_word_or_json(
    peers: list[Peer], status: int, kind: str, body: bytes
) -> None:
    """Frameworks call an empty answer HTML too."""
    answer = push_to(peers, _answer(status, kind, b"" if status == 204 else body))
    assert answer.outcome is Outcome.DONE


def _answer(status: int, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def test_a_header_that_no_request_can_have_is_refused_at_once() -> None:
    with pytest.raises(SettingsError, match="header X-Own holds a control character"):
        Pusher("http://127.0.0.1:1", headers={"X-Own": "a\nb"})


def test_a_request_that_cannot_be_made_names_what_to_check(monkeypatch: pytest.MonkeyPatch) -> None:
    pusher = Pusher("http://127.0.0.1:1")

    def refuse(*_: object, **__: object) -> None:
        raise ValueError("bad name")

    monkeypatch.setattr(pusher._session, "post", refuse)
    answer = pusher.push(ENTRIES)
    assert (answer.outcome, "check the URL" in answer.reason) == (Outcome.CONFIGURATION, True)
