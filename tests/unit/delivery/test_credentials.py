from __future__ import annotations

import base64

import pytest

from lokikit.delivery.credentials import identity_headers
from lokikit.errors import SettingsError


def test_a_password_of_undecodable_bytes_is_sent_as_those_bytes() -> None:
    header = identity_headers(None, ("u", "caf\udce9"))["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"u:caf\xe9"


@pytest.mark.parametrize(
    ("given", "wire"),
    [("caf\u00e9 \u20ac", "caf\u00e9 \u20ac".encode()), ("caf\udce9", b"caf\xe9")],
)
def test_a_tenant_is_sent_as_its_bytes(given: str, wire: bytes) -> None:
    """http.client writes a header as Latin-1."""
    assert identity_headers(given, None)["X-Scope-OrgID"].encode("latin-1") == wire


def test_the_line_end_of_a_file_is_no_part_of_a_token() -> None:
    assert identity_headers("t\n", "secret\n") == {
        "X-Scope-OrgID": "t",
        "Authorization": "Bearer secret",
    }


def test_a_token_of_two_lines_is_refused_without_being_shown() -> None:
    with pytest.raises(SettingsError, match="bearer token holds a control character") as caught:
        identity_headers(None, "sec\nret")
    assert "ret" not in str(caught.value)


def test_a_password_that_a_configuration_has_as_a_number_is_its_digits() -> None:
    """YAML reads a password of digits as a number."""
    header = identity_headers(None, ("u", 123))["Authorization"]  # type: ignore[arg-type]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"u:123"
