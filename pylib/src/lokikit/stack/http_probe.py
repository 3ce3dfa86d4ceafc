"""Whether a program of the stack answers over HTTP."""

from __future__ import annotations

import requests

from lokikit.delivery.address import read_address

_TIMEOUT_S = 2


def answers(url: str) -> bool:
    """Return whether a GET of `url` succeeds within two seconds."""
    try:
        return get(url, _TIMEOUT_S).ok
    except requests.RequestException:
        return False


def get(url: str, timeout_s: float) -> requests.Response:
    """The answer to a GET that sends no credentials, and to this machine takes no proxy.

    Raises:
        requests.RequestException: there is none within `timeout_s`.
    """
    with requests.Session() as session:
        session.trust_env = not read_address(url).is_local
        return session.get(url, timeout=timeout_s, auth=_without_credentials)


def _without_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The request as it is: without an `auth`, requests takes that of `.netrc`."""
    return request
