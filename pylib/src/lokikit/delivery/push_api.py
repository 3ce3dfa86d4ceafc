"""The sending side: entries into one payload, one request, and what its answer asks for.

Shared by everything that pushes. Nothing here logs through `logging`: a handler that logs
about its own pushes feeds itself.
"""

from __future__ import annotations

import enum
import gzip
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import requests

from lokikit.delivery.address import read_address
from lokikit.delivery.credentials import header_value, identity_headers
from lokikit.delivery.entry import Entry, valid_json
from lokikit.delivery.http_session import LokiSession, Tls
from lokikit.delivery.retry import describe_failure, parse_retry_after_s

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 10.0

_GZIP_LEVEL = 1
_MAX_REASON_BYTES = 4096
_OK = range(200, 300)
_REFUSED = frozenset({400, 413, 422})
_WORTH_A_RETRY = frozenset({408, 425, 429})
_SERVER_ERRORS = range(500, 600)
_COUNTED_ERRORS = re.compile(r"(\d+) errors like: ")
_CHECKS = {
    401: "check the user and password, or the token",
    403: "check that these credentials may push",
    404: "check the URL: nothing takes pushes there",
}


class Outcome(enum.Enum):
    """What a sender does next with the entries of a push."""

    DONE = enum.auto()
    RETRY = enum.auto()
    """Later, all of them: Loki is away, busy or broken."""
    SPLIT = enum.auto()
    """In parts: Loki has stored the valid ones and refused the rest, or the push is too big."""
    CONFIGURATION = enum.auto()
    """When somebody has mended the settings; keep them until then."""


@dataclass(frozen=True)
class Answer:
    """How one push ended.

    Args:
        outcome: what to do next.
        reason: Loki's own words, or what went wrong on the way.
        status: the HTTP status, `None` when there was no answer.
        retry_after_s: how long Loki asks to wait, already capped.
        refused: how many entries the reason counts as refused, 0 when it does not say.
    """

    outcome: Outcome
    reason: str = ""
    status: int | None = None
    retry_after_s: float = 0.0
    refused: int = 0


class Pusher:
    """Pushes entries over one keep-alive connection; for one thread at a time.

    Args:
        url: Loki's address, with or without the path of its push API; may hold credentials.
        compress: gzip the payload; `None` means unless Loki is on this machine, where it costs
            more than it saves.
        headers: sent with each push, for instance `X-Scope-OrgID`.
        timeout_s: seconds for connecting, and for each read of the answer.
        verify: a file of certificates to trust; `False` trusts any server.
        client_cert: a file with certificate and key, or a pair of two files.

    Raises:
        SettingsError: `url` is no HTTP address.
    """

    def __init__(  # noqa: PLR0913 - all but the first by keyword
        self,
        url: str,
        *,
        compress: bool | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: tuple[float, float] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
        verify: bool | str = True,
        client_cert: str | tuple[str, str] | None = None,
    ) -> None:
        address = read_address(url)
        self._url = address.push_url
        self.target = address.origin
        self.compress = not address.is_local if compress is None else compress
        # JSON and YAML give a list, with which requests can do nothing.
        connect_s, read_s = timeout_s
        self.timeout_s = (connect_s, read_s)
        identity = identity_headers(None, address.credentials)
        self._session = LokiSession(address, identity, Tls(verify, client_cert))
        self._session.headers["Content-Type"] = "application/json"
        for name, value in (headers or {}).items():
            self._session.headers[name] = header_value(f"header {name}", value)
        if self.compress:
            self._session.headers["Content-Encoding"] = "gzip"

    def push(self, entries: Sequence[Entry]) -> Answer:
        """How sending `entries` in one request ended; never raises over what the network does."""
        data = payload(entries)
        if self.compress:
            data = gzip.compress(data, _GZIP_LEVEL)
        try:
            # A redirect would turn the POST into a GET that stores nothing.
            response = self._session.post(
                self._url,
                data,
                timeout=self.timeout_s,
                stream=True,
                allow_redirects=False,
            )
            with response:
                return classify(response.status_code, self._reason(response), response.headers)
        except (requests.RequestException, OSError) as error:
            return Answer(Outcome.RETRY, describe_failure(error))
        except ValueError as error:  # what no request can be made of
            reason = f"{type(error).__name__}: {error}; check the URL and the headers"
            return Answer(Outcome.CONFIGURATION, reason)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()

    def _reason(self, response: requests.Response) -> str:
        """The beginning of the answer's text, even when it comes in drips or breaks off."""
        deadline_s = time.monotonic() + self.timeout_s[1]
        text = bytearray()
        try:
            for byte in response.iter_content(1):
                text += byte
                if len(text) >= _MAX_REASON_BYTES or time.monotonic() > deadline_s:
                    break
        except (requests.RequestException, OSError):
            text += b" (the answer broke off)"
        return " ".join(text.decode("utf-8", "replace").split())


def push_url(url: str) -> str:
    """The address of the push API of the Loki at `url`, without credentials.

    Raises:
        SettingsError: `url` is no HTTP address.
    """
    return read_address(url).push_url


def payload(entries: Sequence[Entry]) -> bytes:
    """The JSON body of one push, the entries grouped by stream in the order given."""
    streams: dict[int, tuple[Mapping[str, str], list[Any]]] = {}
    for timestamp_ns, line, labels, metadata in entries:
        # Whoever reads entries shares one object among those of a stream.
        stream = streams.get(id(labels))
        if stream is None:
            stream = streams[id(labels)] = (labels, [])
        stream[1].append((str(timestamp_ns), line, metadata))
    body = {"streams": [{"stream": labels, "values": line} for labels, line in streams.values()]}
    try:
        return orjson.dumps(body)
    except TypeError:
        return orjson.dumps(valid_json(body))


def read_payload(body: bytes) -> list[Entry]:
    """The entries of a body that `payload` made."""
    return [
        Entry(int(stamp), line, stream["stream"], metadata)
        for stream in orjson.loads(body)["streams"]
        for stamp, line, metadata in stream["values"]
    ]


def classify(status: int, reason: str, headers: Mapping[str, str]) -> Answer:
    """What an HTTP answer asks for."""
    if status in _OK and not is_page(reason):
        return Answer(Outcome.DONE, status=status)
    reason = reason or "no reason given"
    if status in _WORTH_A_RETRY or status in _SERVER_ERRORS:
        retry_after_s = parse_retry_after_s(headers.get("Retry-After"))
        return Answer(Outcome.RETRY, f"{status} {reason}", status, retry_after_s)
    if status in _REFUSED:
        refused = sum(int(count) for count in _COUNTED_ERRORS.findall(reason))
        return Answer(Outcome.SPLIT, reason, status, refused=refused)
    if status in _OK:
        reason = "a web page answers, perhaps a login, and no Loki"
    check = _CHECKS.get(status, "check the URL: what answers there does not take pushes")
    return Answer(Outcome.CONFIGURATION, f"{status} {reason}; {check}", status)


def is_page(body: str) -> bool:
    """Whether the text of an answer is a page for a browser, whatever the status says.

    Loki answers 204 without a text. Other receivers answer 200 or 202 with none, with a word or
    with JSON, some of them under the Content-Type of HTML, which is the default of frameworks: so
    the text alone decides.
    """
    return body.lstrip("\ufeff \t\r\n").startswith("<")
