from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from lokikit.page.static_files import STATIC, shell, static_file

APP = Starlette(routes=[Route("/static/{name:path}", static_file), Route("/explore", shell)])


async def ask(path: str, **headers: str) -> httpx.Response:
    """The answer to one request."""
    transport = httpx.ASGITransport(APP)
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        return await client.get(path, headers=headers)


def get(path: str, **headers: str) -> httpx.Response:
    """The answer to one request, for callers that do not await it."""
    return asyncio.run(ask(path, **headers))


@pytest.mark.parametrize(
    "name", sorted(str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file())
)
def test_every_file_is_served_as_it_is(name: str) -> None:
    answer = get(f"/static/{name}")
    assert answer.content == (STATIC / name).read_bytes()
    assert answer.headers["content-type"]


def test_a_script_is_javascript_and_the_shell_a_document() -> None:
    assert get("/static/app.js").headers["content-type"].startswith("text/javascript")
    assert get("/explore").headers["content-type"].startswith("text/html")


def test_what_a_browser_has_is_not_sent_again() -> None:
    tag = get("/static/app.js").headers["etag"]
    again = get("/static/app.js", **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["none.js", "..%2Fapp.py", "%2Fetc%2Fpasswd", ""], ids=ascii)
def test_nothing_else_is_served(name: str) -> None:
    assert get(f"/static/{name}").status_code == 404
