"""Whether a program of the stack answers over HTTP."""

from __future__ import annotations

import requests

_TIMEOUT_S = 2


def answers(url: str) -> bool:
    """Return whether a GET of `url` succeeds within two seconds."""
    try:
        return requests.get(url, timeout=_TIMEOUT_S).ok
    except requests.RequestException:
        return False
