from __future__ import annotations

import base64

import pytest
from starlette.datastructures import Headers

from lokikit.page.access import Access


def basic(text: str) -> str:
    """The header of HTTP's basic authentication."""
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("127.0.0.1:3300", ""),
        ("localhost", ""),
        ("LOCALHOST:1", ""),
        ("[::1]:3300", ""),
        ("evil.example", "host"),
        ("127.0.0.1.evil.example", "host"),
        ("localhost.evil.example:3300", "host"),
        ("", "host"),
    ],
    ids=ascii,
)
def test_without_a_password_only_this_machine_is_answered(host: str, problem: str) -> None:
    assert Access().problem(Headers({"host": host})) == problem


@pytest.mark.parametrize(
    ("authorization", "problem"),
    [
        (basic("anyone:right"), ""),
        (basic(":right"), ""),
        (basic("right"), "password"),
        (basic("anyone:right "), "password"),
        (basic("anyone:"), "password"),
        ("Bearer right", "password"),
        ("Basic !", "password"),
        ("", "password"),
    ],
    ids=ascii,
)
def test_a_password_lets_in_under_any_user_and_host(authorization: str, problem: str) -> None:
    headers = Headers({"host": "logs.example", "authorization": authorization})
    assert Access("right").problem(headers) == problem
