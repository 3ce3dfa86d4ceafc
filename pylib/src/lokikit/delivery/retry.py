"""The wait before the next try, and the text of a failure."""

from __future__ import annotations

import email.utils
import time
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

MIN_BACKOFF_S = 0.5
MAX_BACKOFF_S = 30.0
MAX_RETRY_AFTER_S = 60.0
_NO_BUNDLE = "REQUESTS_CA_BUNDLE has to name a PEM file of certificates"
_TLS_FIXES = (
    ("certificate is not valid for", "name its host as the certificate does"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "name the certificates to trust, REQUESTS_CA_BUNDLE=/path/ca.pem",
    ),
    ("CA certificate bundle", _NO_BUNDLE),
    ("NO_CERTIFICATE_OR_CRL_FOUND", _NO_BUNDLE),
    ("WRONG_VERSION_NUMBER", "it speaks no TLS, so use http://"),
)
"""Part of a text of OpenSSL or requests -> fix; the first counts."""


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


def tls_fix(cause: str) -> str:
    """Return the fix for a failure of TLS that `describe_failure` names; empty for others."""
    return next((fix for part, fix in _TLS_FIXES if part in cause), "")


def describe_failure(error: BaseException) -> str:
    """Return the system's text for a failed request, from below urllib3 and requests."""
    if isinstance(error, requests.Timeout):
        return "timed out: no answer within the limit"
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    return str(error) or type(error).__name__
