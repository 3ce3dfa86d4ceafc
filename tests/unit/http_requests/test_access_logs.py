from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypercorn.logging import AccessLogAtoms

from lokikit import fields as f
from lokikit.http_requests.access_logs import _requests, take_in_access_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    Lines = Callable[[], list[dict[str, Any]]]


def hypercorn(client: Any = ("127.0.0.1", 4711), **headers: str) -> None:
    """Have Hypercorn log a request."""
    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": "/café",
        "query_string": b"a=1",
        "scheme": "http",
        "client": client,
        "http_version": "1.1",
        "headers": [
            (name.replace("_", "-").encode(), one.encode()) for name, one in headers.items()
        ],
    }
    response: Any = {"status": 200, "headers": [(b"content-length", b"3")]}
    take_in_access_lines()
    logging.getLogger("hypercorn.access").info("%(h)s", AccessLogAtoms(scope, response, 0.5))


def uvicorn(client: str, path: str) -> None:
    """Have Uvicorn log a request."""
    take_in_access_lines()
    form = '%s - "%s %s HTTP/%s" %d'
    logging.getLogger("uvicorn.access").info(form, client, "GET", path, "1.1", 200)


@pytest.mark.parametrize("headers", [{}, {"x_request_id": "-"}, {"x_request_id": ""}])
def test_request_without_an_id_has_none_in_its_line(lines: Lines, headers: dict[str, str]) -> None:
    hypercorn(**headers)
    (line,) = lines()
    assert f.REQUEST_ID not in line
    assert (line[f.HTTP_PATH], line[f.HTTP_STATUS], line[f.CLIENT_IP]) == (
        "/café",
        200,
        "127.0.0.1",
    )


def test_id_that_a_request_came_with_is_in_its_line(lines: Lines) -> None:
    hypercorn(x_request_id="r-17")
    assert lines()[0][f.REQUEST_ID] == "r-17"


def test_request_over_a_unix_socket_has_no_address(lines: Lines) -> None:
    hypercorn(client=("/run/app.sock",))
    hypercorn(client=None)
    assert [f.CLIENT_IP in line for line in lines()] == [False, False]


def test_access_line_believes_trusted_proxies(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.0/8")
    _requests.cache_clear()
    hypercorn(client=("::ffff:127.0.0.1", 1), x_forwarded_for="1.2.3.4:5678")
    _requests.cache_clear()
    assert lines()[0][f.CLIENT_IP] == "1.2.3.4"


@pytest.mark.parametrize(
    ("client", "address"),
    [("127.0.0.1:1", "127.0.0.1"), ("::1:80", "::1"), ("::ffff:10.0.0.1:80", "10.0.0.1")],
)
def test_uvicorns_access_line_has_the_path_and_the_address_as_they_are(
    lines: Lines, client: str, address: str
) -> None:
    uvicorn(client, "/caf%C3%A9/a%20b?q=%2F")
    (line,) = lines()
    assert (line[f.HTTP_PATH], line[f.CLIENT_IP]) == ("/café/a b", address)
