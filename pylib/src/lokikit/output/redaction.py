"""Which keys hold secrets, judged by their names."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET_WORDS = (
    "accesskey",
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "sessionid",
    "token",
)
"""Anywhere in a key, whatever its case and separators (`X-Api-Key`, `dbPassword`)."""

_ABOUT_A_SECRET = re.compile(
    r"(?:count|length|len|size|limit|type|name|ttl|usage|used|expiry|expires|expiresin|expiresat)$"
    r"|^(?:max|min|total|input|output|prompt|completion|num|n)tokens$"
)
"""Keys that speak about a secret without holding it: `token_count`, `cookie_name`."""
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_MAX_CACHED = 4096


class SecretNames:
    """Tells whether a key names a secret.

    Args:
        more: further words, matched like `SECRET_WORDS`.
    """

    def __init__(self, more: Iterable[str] = ()) -> None:
        words = [*SECRET_WORDS, *filter(None, map(_squeeze, more))]
        self._pattern = re.compile("|".join(map(re.escape, words)))
        self.is_secret = lru_cache(_MAX_CACHED)(self._is_secret)
        """Whether a key of this name holds a secret."""

    def __contains__(self, name: str) -> bool:
        return self.is_secret(name)

    def _is_secret(self, name: str) -> bool:
        squeezed = _squeeze(name)
        return bool(self._pattern.search(squeezed)) and not _ABOUT_A_SECRET.search(squeezed)


def _squeeze(name: str) -> str:
    return _SEPARATORS.sub("", name.lower())
