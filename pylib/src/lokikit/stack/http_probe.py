"""HTTP checks of the programs of the stack."""

from __future__ import annotations

import requests

from lokikit.delivery.address import read_address
from lokikit.delivery.http_session import LokiSession, Tls

_TIMEOUT_S = 2


def answers(url: str) -> bool:
    """Return True when a GET of `url` succeeds within two seconds."""
    try:
        return get(url, _TIMEOUT_S).ok
    except requests.RequestException:
        return False


def get(url: str, timeout_s: float) -> requests.Response:
    """Return the answer to a GET without credentials, and without a proxy for this machine.

    Raises:
        requests.RequestException: no answer within `timeout_s`.
    """
    with LokiSession(read_address(url), {}, Tls()) as session:
        return session.get(url, timeout=timeout_s)
