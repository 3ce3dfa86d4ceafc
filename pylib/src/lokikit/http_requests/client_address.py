"""Addresses of peers and of `X-Forwarded-For`, in the same form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lokikit.value_kinds import Network

_MAPPED = "::ffff:"
"""IPv4 in the form of a socket that listens on `[::]` (RFC 4291, section 2.5.5.2)."""
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")


@lru_cache(maxsize=4096)
def plain_address(written: str) -> str | None:
    """Return the address without port, brackets and quotes; `None` for any other text."""
    word = written.strip().strip('"')
    if match := _WITH_PORT.fullmatch(word):
        word = match[1] or match[2] or ""
    address = _address(word)
    return str(address) if address else None


def is_within(peer: str, networks: Iterable[Network]) -> bool:
    """Return True when a network holds this address, which may be IPv4 written as IPv6."""
    address = _address(peer)
    forms: list[IPv4Address | IPv6Address] = [address] if address else []
    if isinstance(address, IPv4Address):
        forms.append(IPv6Address(f"{_MAPPED}{address}"))
    return any(form in network for network in networks for form in forms)


def _address(word: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(word)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
