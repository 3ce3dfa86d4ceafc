"""Access to the page: hosts, password, and the headers that limit a browser."""

from __future__ import annotations

import base64
import hmac
from asyncio import sleep
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from lokikit.delivery.address import is_loopback
from lokikit.stack.native.page import HEALTH_PATH

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_REQUEST = "x-lokikit"
"""Header of each request that changes something: pages of other sites cannot send it."""
_WRONG_PASSWORD_S = 1
_HEADERS = {
    # No content of a line becomes markup, style or script. The last two directives keep even our
    # own JavaScript from that.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_STATIC_CACHE = "no-cache"


@dataclass(frozen=True)
class Access:
    """The rules of access.

    Args:
        password: password for any user name; empty for no password.
    """

    password: str = ""

    def problem(self, headers: Headers) -> str:
        """Return the reason to refuse a request with these headers: `host`, `password` or ``.

        Without a password only names of this machine are accepted: otherwise a web site whose
        name leads here (DNS rebinding) could read the logs through its visitor's browser.
        """
        if not self.password:
            name = _host(headers.get("host", ""))
            return "" if is_loopback(name) else "host"
        scheme, _, word = headers.get("authorization", "").partition(" ")
        try:
            sent = base64.b64decode(word, validate=True).partition(b":")[2]
        except ValueError:
            sent = b""
        is_right = scheme.lower() == "basic" and hmac.compare_digest(sent, self.password.encode())
        return "" if is_right else "password"


def _host(text: str) -> str:
    """Return the name in a `Host` header, without its port."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].lower()


class Guard:
    """Refuses requests by the rules of access, and adds the security headers to every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                _put_headers(message, scope["path"])
            await send(message)

        answer = await self._refusal(scope) or self._app
        await answer(scope, receive, sent)

    async def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if scope["path"] == HEALTH_PATH:
            return PlainTextResponse("ok\n")
        problem = self._access.problem(headers)
        if problem == "host":
            return PlainTextResponse(
                "This page answers to the names of this machine only: open http://127.0.0.1, or "
                "set PAGE_PASSWORD.\n",
                421,
            )
        if problem:
            if "authorization" in headers:
                await sleep(_WRONG_PASSWORD_S)
            asks = {"WWW-Authenticate": 'Basic realm="lokikit", charset="UTF-8"'}
            return PlainTextResponse("This page needs its password (PAGE_PASSWORD).\n", 401, asks)
        if scope["method"] not in {"GET", "HEAD"} and OWN_REQUEST not in headers:
            return PlainTextResponse("Only the page itself may change something.\n", 403)
        return None


def _put_headers(message: Any, path: str) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers[name] = value
    if path.startswith("/static/"):
        headers["Cache-Control"] = _STATIC_CACHE
