"""The wait before the next try, and the text of a failure with its fix."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    import random

MIN_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
MAX_RETRY_AFTER_S = 60.0
_NO_BUNDLE = "REQUESTS_CA_BUNDLE or ca_file has to name a PEM file of certificates"
_PROXY = "the proxy in HTTP_PROXY or HTTPS_PROXY"
_FIXES = (
    (_PROXY, "name another, or Loki's host in NO_PROXY"),
    ("certificate is not valid for", "name its host as the certificate does"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "name the certificates to trust, REQUESTS_CA_BUNDLE=/path/ca.pem",
    ),
    ("CA certificate bundle", _NO_BUNDLE),
    ("NO_CERTIFICATE_OR_CRL_FOUND", _NO_BUNDLE),
    ("WRONG_VERSION_NUMBER", "it speaks no TLS, so use http://"),
)
"""Part of what `describe_failure` returns -> fix; the first counts."""


def parse_retry_after_s(value: str | None, now_s: Callable[[], float] = time.time) -> float:
    """Return the seconds that a `Retry-After` asks for, from 0 to `MAX_RETRY_AFTER_S`."""
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now_s()
        except ValueError:
            return 0.0
    return min(max(0.0, seconds), MAX_RETRY_AFTER_S)


def backoff_s(attempt: int, rng: random.Random) -> float:
    """Return the seconds to wait after failure number `attempt` (from 0), with full jitter.

    Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015.
    """
    longest_s = min(MAX_BACKOFF_S, MIN_BACKOFF_S * 2 ** min(attempt, 16))
    return rng.uniform(0.0, longest_s)


def fix_of(cause: str) -> str:
    """Return the fix for a failure of TLS or of a proxy; empty for other failures."""
    return next((fix for part, fix in _FIXES if part in cause), "")


def describe_failure(error: BaseException) -> str:
    """Return the system's text for a failed request, from below urllib3 and requests."""
    if isinstance(error, requests.Timeout):
        return "timed out: no answer within the limit"
    said = _text_of_system(error)
    is_of_proxy = isinstance(error, requests.exceptions.ProxyError)
    return f"{_PROXY} does not let it through: {said}" if is_of_proxy else said


def _text_of_system(error: BaseException) -> str:
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    return str(error) or type(error).__name__
