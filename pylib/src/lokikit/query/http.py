"""A request to Loki: address, tenant, tries within a time limit, errors by their cause."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
import requests

from lokikit.delivery.address import read_address
from lokikit.delivery.credentials import identity_headers
from lokikit.delivery.http_session import LokiSession, Tls
from lokikit.delivery.retry import backoff_s, describe_failure, fix_of, parse_retry_after_s
from lokikit.errors import LokikitError, RefusedError, SettingsError, UnreachableError

_CONNECT_TIMEOUT_S = 2
_LAST_TRY = 3
_BAD_REQUEST = 400
_NOT_FOUND = 404
_SWITCHED_OFF = "not found"
"""Loki's text of an API that its settings switch off, as `volume_enabled: false` does."""
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_MAX_REASON_CHARS = 2000


class Transport:
    """Requests to a Loki, for one tenant.

    Args:
        url: address, with or without a path of the API; may hold a user and a password.
        tenant: tenant to query (`X-Scope-OrgID`), of a Loki with several tenants.
        auth: a user and a password, or a bearer token.
        timeout_s: seconds that a question may take, with its retries.
        tls: certificates.
        sleep: waits for a number of seconds.
    """

    def __init__(  # noqa: PLR0913 - all but the first by keyword
        self,
        url: str,
        *,
        tenant: str | None = None,
        auth: tuple[str, str] | str | None = None,
        timeout_s: float = 10,
        tls: Tls | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        address = read_address(url)
        self.url = address.base
        # Without this flag Loki mixes labels, metadata and parsed fields into one mapping.
        self.headers = {
            "X-Loki-Response-Encoding-Flags": "categorize-labels",
            **identity_headers(tenant, auth or address.credentials),
        }
        self.local = address.is_local
        self.timeout_s = timeout_s
        self.tls = tls or Tls()
        self._sleep = sleep
        self._random = random.Random()  # noqa: S311 - jitter is no secret
        self._session = LokiSession(address, self.headers, self.tls)
        self.parameters = dict(parse_qsl(address.query))
        self._session.params = self.parameters

    def ask(self, path: str, parameters: Mapping[str, str | int]) -> Any:
        """Return the `data` of Loki's answer.

        Raises:
            SettingsError: Loki does not accept the query or a parameter.
            RefusedError: Loki answers with another error.
            UnreachableError: no answer within the time limit.
        """
        deadline = time.monotonic() + self.timeout_s
        for attempt in range(_LAST_TRY + 1):
            answer = self._try(path, parameters, deadline - time.monotonic())
            if not isinstance(answer, LokikitError):
                return answer.get("data")  # absent when it is empty
            asked_s = answer.retry_after_s if isinstance(answer, RefusedError) else 0
            pause_s = max(asked_s, backoff_s(attempt, self._random))
            if attempt == _LAST_TRY or time.monotonic() + pause_s > deadline:
                raise answer
            self._sleep(pause_s)
        raise AssertionError  # the last attempt returns or raises

    def get(self, path: str, parameters: Mapping[str, str | int], timeout_s: float) -> Any:
        """Return the response to a single request.

        Raises:
            UnreachableError: no answer within `timeout_s`.
        """
        limits = (min(_CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        try:
            return self._session.get(self.url + path, params=parameters, timeout=limits)
        except requests.Timeout as error:
            raise UnreachableError(
                f"Loki at {self.url} gave no answer in time: "
                "ask for a shorter span, or see to its load."
            ) from error
        except OSError as error:  # of requests, or of a file of certificates that is not there
            raise away(self.url, error) from error

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _try(self, path: str, parameters: Mapping[str, str | int], left_s: float) -> Any:
        """Return the parsed answer, or an error after which another try may succeed."""
        try:
            response = self.get(path, parameters, max(left_s, 0.1))
        except UnreachableError as error:
            return error
        if response.ok:
            return _parsed(response, self.url)
        after_s = parse_retry_after_s(response.headers.get("Retry-After"))
        refused = refusal(self.url, response.status_code, response.text, after_s)
        if is_passing(refused):
            return refused
        raise refused


def away(url: str, error: Exception) -> UnreachableError:
    """Return the error for a Loki that does not answer, with advice."""
    cause = describe_failure(error)
    fix = fix_of(cause) or (
        "is it running? See `lokikit status`, start it with `lokikit up`, or set LOKI_URL"
    )
    return UnreachableError(f"no connection to Loki at {url} ({cause}): {fix}.")


def refusal(
    url: str, status: int, body: str, retry_after_s: float = 0.0
) -> RefusedError | SettingsError:
    """Return the error for an answer with `status`, with Loki's text on one line."""
    reason = " ".join(body.split())[:_MAX_REASON_CHARS] or "no reason given"
    if status == _NOT_FOUND and reason != _SWITCHED_OFF:
        text = f"what answers at {url} has no API of Loki (404): check LOKI_URL."
        return RefusedError(text, status)
    if status == _BAD_REQUEST:
        return SettingsError(f"Loki does not accept the query: {reason}")
    text = f"Loki at {url} refuses the query ({status}): {reason}"
    return RefusedError(text, status, retry_after_s)


def is_passing(error: LokikitError) -> bool:
    """Return True when the same question may be answered later."""
    if isinstance(error, RefusedError):
        return error.status >= _SERVER_ERROR or error.status == _TOO_MANY_REQUESTS
    return isinstance(error, UnreachableError)


def _parsed(response: requests.Response, url: str) -> Any:
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        answer = None
    if isinstance(answer, dict) and answer.get("status") == "success":
        return answer
    raise RefusedError(f"what answers at {url} is not Loki: check LOKI_URL.", response.status_code)
