from __future__ import annotations

import pytest

from lokikit.delivery.address import read_address, without_api_path

_API_PATHS = ("/loki/api/v1/push", "/loki/api/v1/push/", "/loki/api/v1", "/api/prom/push")


@pytest.mark.parametrize("path", ["", "/", *_API_PATHS])
@pytest.mark.parametrize("prefix", ["", "/prefix", "/loki"])
def test_a_path_of_the_api_is_no_part_of_the_base(prefix: str, path: str) -> None:
    address = read_address(f"https://h:1{prefix}{path}")
    assert address.base == f"https://h:1{prefix}"
    assert address.push_url == f"https://h:1{prefix}/loki/api/v1/push"


@pytest.mark.parametrize("path", ["", "/", "/loki/api/v1/push"])
def test_a_query_string_stays_behind_the_path(path: str) -> None:
    address = read_address(f"http://h{path}?key=a%20b&x=1")
    assert address.push_url == "http://h/loki/api/v1/push?key=a%20b&x=1"
    assert address.base == "http://h"


def test_credentials_stand_apart() -> None:
    address = read_address("http://us%40er:pass%3A@h:1/loki/api/v1/push")
    assert address.credentials == ("us@er", "pass:")
    assert (address.base, address.origin, address.host) == ("http://h:1", "http://h:1", "h")


def test_an_address_of_ipv6_keeps_its_brackets() -> None:
    assert read_address("http://[::1]:3100").base == "http://[::1]:3100"


def test_a_url_loses_the_path_of_the_api_alone() -> None:
    assert without_api_path("http://u:p@h/x/loki/api/v1/push/") == "http://u:p@h/x"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("localhost", True),
        ("[::1]", True),
        ("127.example.com", False),
        ("10.0.0.1", False),
    ],
)
def test_the_loopback_is_local_and_no_name_that_begins_like_it(host: str, expected: bool) -> None:  # noqa: FBT001 - of pytest
    assert read_address(f"http://{host}:3100").is_local is expected
