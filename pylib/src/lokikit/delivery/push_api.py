"""Loki's push API: the payload of some entries, one request, and the meaning of its answer.

Everything that pushes goes through here. Nothing in this module logs through `logging`, because a
handler that logs about its own pushes feeds itself.
"""

from __future__ import annotations

import enum
import gzip
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import requests

from lokikit.delivery.address import read_address
from lokikit.delivery.credentials import header_value, identity_headers
from lokikit.delivery.entry import Entry, read_kept_entry, valid_json
from lokikit.delivery.http_session import LokiSession, Tls
from lokikit.delivery.retry import describe_failure, fix_of, parse_retry_after_s

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
    """The next step for the entries of a push."""

    DONE = enum.auto()
    RETRY = enum.auto()
    """Push all of them later: Loki is away, busy or broken."""
    SPLIT = enum.auto()
    """Push them in parts: Loki stored the valid entries and refused the rest, or it was too big."""
    CONFIGURATION = enum.auto()
    """Keep them until the settings are corrected."""


@dataclass(frozen=True)
class Answer:
    """The result of one push.

    Args:
        outcome: the next step.
        reason: text of Loki's answer, or the failure of the connection.
        status: HTTP status, `None` without an answer.
        retry_after_s: seconds that Loki asks to wait, at most `MAX_RETRY_AFTER_S`.
        refused: number of refused entries by Loki's text, 0 when it names none.
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
        compress: True gzips the payload; `None` gzips it unless Loki is on this machine, where
            that costs more than it saves.
        headers: sent with each push, for instance `X-Scope-OrgID`.
        timeout_s: seconds to connect, and for each read of the answer.
        verify, client_cert: see `Tls`.

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
        # Configurations in JSON and YAML have a list here, which requests does not take.
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
        """Push `entries` in one request; errors of the network are answers, not exceptions."""
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
            cause = describe_failure(error)
            return Answer(Outcome.RETRY, ": ".join(filter(None, (cause, fix_of(cause)))))
        except ValueError as error:  # of requests: URL or headers are unusable
            reason = f"{type(error).__name__}: {error}; check the URL and the headers"
            return Answer(Outcome.CONFIGURATION, reason)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _reason(self, response: requests.Response) -> str:
        """Return the beginning of the answer's text, within the time limit even if it trickles."""
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


def payload(entries: Sequence[Entry]) -> bytes:
    """Return the JSON body of a push: entries grouped by stream, in their order."""
    streams: dict[int, tuple[Mapping[str, str], list[Any]]] = {}
    for timestamp_ns, line, labels, metadata in entries:
        # Entries of one stream share one object of labels.
        stream = streams.get(id(labels))
        if stream is None:
            stream = streams[id(labels)] = (labels, [])
        stream[1].append((str(timestamp_ns), line, metadata))
    body = {"streams": [{"stream": labels, "values": line} for labels, line in streams.values()]}
    try:
        return orjson.dumps(body)
    except TypeError:
        return orjson.dumps(valid_json(body))


def read_payload(body: bytes) -> list[Entry] | None:
    """Return the entries of a body that `payload` made; `None` for any other body."""
    try:
        return [
            read_kept_entry(stamp, line, stream["stream"], metadata)
            for stream in orjson.loads(body)["streams"]
            for stamp, line, metadata in stream["values"]
        ]
    except (ValueError, KeyError, TypeError):
        return None


def classify(status: int, reason: str, headers: Mapping[str, str]) -> Answer:
    """Return the next step after an HTTP answer."""
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
    """Return True when the text of an answer is a page for a browser.

    The text alone decides: Loki answers 204 without text, other receivers 200 or 202 with no text,
    a word or JSON, and some of them under the Content-Type of HTML, the default of frameworks.
    """
    return body.lstrip("\ufeff \t\r\n").startswith("<")
