"""Addresses of `ip("…")`: one address, a range, or a CIDR; found in a label or inside a line."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

from lokikit.store.errors import QueryError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_CANDIDATE = re.compile(
    r"(?:(?P<v4>[0-9](?=.{0,2}\.)[0-9.]*)"
    r"|(?P<v6>(?:[0-9a-fA-F]{1,4}:|::[0-9a-fA-F])[0-9a-fA-F:.]*)).?",
    re.DOTALL,
)
"""Text that begins like an address, to its end, and the character behind it."""
_ZONE = re.compile(r"(:[0-9a-fA-F:.]*)%[^%/-]+")
_PREFIX = re.compile(r"/(?:0|[1-9][0-9]{0,2})\Z")
_SHORTEST_REST = 5
"""Loki does not look for IPv6 in fewer characters at the end of a line."""


def parse_address(text: str) -> Address | None:
    """The address that the text is, None for other text; a zone of IPv6 is no address."""
    if not text.isascii() or "%" in text:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def compile_ip(pattern: str) -> Callable[[Address], bool]:
    """A test of one address.

    Args:
        pattern: `10.0.0.1`, `10.0.0.1-10.0.0.9` or `10.0.0.0/8`, or the same of IPv6.

    Raises:
        QueryError: the pattern has another form.
    """
    pattern, has_zone = _ZONE.subn(r"\1", pattern)
    takes = _network(pattern) if "/" in pattern else _range(pattern)
    # An address with a zone is a pattern to Loki, and no address is equal to it.
    return (lambda _: False) if has_zone else takes


def _range(pattern: str) -> Callable[[Address], bool]:
    first, dash, last = pattern.partition("-")
    begin, end = parse_address(first), parse_address(last if dash else first)
    if begin is None or end is None or type(begin) is not type(end) or begin > end:  # type: ignore[operator]  # both are of one class
        raise _refusal(pattern)
    kind, low, high = type(begin), int(begin), int(end)
    return lambda address: type(address) is kind and low <= int(address) <= high


def _network(pattern: str) -> Callable[[Address], bool]:
    if not _PREFIX.search(pattern):
        raise _refusal(pattern)
    try:
        network = ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        raise _refusal(pattern) from None
    return lambda address: address in network


def _refusal(pattern: str) -> QueryError:
    return QueryError(f'ip: invalid pattern "{pattern}": no address, range or CIDR')


def addresses_in(line: str) -> Iterator[Address]:
    """The addresses in a line; text that begins like an address is taken whole."""
    for match in _CANDIDATE.finditer(line):
        v6 = match["v6"]
        if v6 and len(line) - match.start() < _SHORTEST_REST:
            continue
        address = parse_address(v6 or match["v4"])
        if address is not None:
            yield address
