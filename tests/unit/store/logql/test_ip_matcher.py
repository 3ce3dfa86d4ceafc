from __future__ import annotations

import pytest

from lokikit.store.errors import QueryError
from lokikit.store.logql.ip_matcher import addresses_in, compile_ip, parse_address


def takes(pattern: str, address: str) -> bool:
    parsed = parse_address(address)
    assert parsed is not None
    return compile_ip(pattern)(parsed)


@pytest.mark.parametrize("pattern", ["10.0.0.1", "10.0.0.0/24", "10.0.0.0-10.0.0.9"])
def test_an_address_is_taken_by_itself_its_network_and_its_range(pattern: str):
    assert takes(pattern, "10.0.0.1")
    assert not takes(pattern, "10.0.1.1")


def test_the_families_do_not_mix():
    assert not takes("0.0.0.0/0", "::ffff:10.0.0.1")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "x",
        "10.0.0.1/99",
        "10.0.0.1/08",
        "10.0.0.0/255.0.0.0",
        "10.0.0.5-10.0.0.1",
        "10.0.0.1-::1",
        "1.1.1.1 ",
        "01.1.1.1",
        "1.1.1.1%eth0",
        "fe80::1%",
    ],
)
def test_other_patterns_are_refused(pattern: str):
    with pytest.raises(QueryError, match="no address, range or CIDR"):
        compile_ip(pattern)


@pytest.mark.parametrize(
    "pattern", ["fe80::1%eth0", "fe80::1%eth0/64", "fe80::1%eth0-fe80::2", "fe80::1.2.3.4%1"]
)
def test_a_pattern_with_a_zone_takes_no_address(pattern: str):
    assert not takes(pattern, "fe80::1")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from 10.0.0.1:80 to [2001:db8::1]:80", ["10.0.0.1", "2001:db8::1"]),
        ("1.1.1.1.1 300.1.1.1 1.1.1", []),
        ("x::1", []),
        ("f:1.1.1.1", []),
        ("5:1.1.1.1", ["1.1.1.1"]),
    ],
)
def test_addresses_of_a_line_are_those_that_loki_sees(line: str, found: list[str]):
    assert [str(address) for address in addresses_in(line)] == found
