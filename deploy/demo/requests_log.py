"""One line per request of a Flask application."""

from __future__ import annotations

import logging
import re
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING
from uuid import uuid4

from flask import Flask, Response, g, request

import lokikit
from lokikit import fields

if TYPE_CHECKING:
    from types import TracebackType

_log = logging.getLogger("shop.requests")
_HEADER = "X-Request-ID"
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONVERTER = re.compile(r"<(?:[^<>]*:)?([^<>:]+)>")


class LoggedFlask(Flask):
    """A Flask whose every request is one line, with the exception when it crashed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.before_request(_begin)
        self.after_request(_note_response)
        self.teardown_request(_end)

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Nothing: the request's own line has the exception."""


def _begin() -> None:
    given = request.headers.get(_HEADER, "")
    g.request_id = given if _SANE_ID.fullmatch(given) else uuid4().hex
    g.started_s = time.perf_counter()
    g.bound = ExitStack()
    g.bound.enter_context(lokikit.bound(**{fields.REQUEST_ID: g.request_id}))


def _note_response(response: Response) -> Response:
    response.headers[_HEADER] = g.request_id
    # Not later: it turns an iterator, such as an error page, into a list before that is sent.
    g.bytes = response.calculate_content_length()
    g.status = response.status_code
    return response


def _end(error: BaseException | None) -> None:
    with g.pop("bound"):
        text = "%s %s %d", request.method, request.path, g.status
        _log.log(_level(g.status), *text, exc_info=error, extra=_request_fields())


def _level(status: int) -> int:
    return logging.INFO if status < 400 else logging.WARNING if status < 500 else logging.ERROR  # noqa: PLR2004 - classes of HTTP


def _request_fields() -> dict[str, object]:
    rule = request.url_rule
    route = {fields.HTTP_ROUTE: _CONVERTER.sub(r"{\1}", rule.rule)} if rule else {}
    return {
        fields.HTTP_METHOD: request.method,
        **route,
        fields.HTTP_PATH: request.path,
        fields.HTTP_STATUS: g.status,
        fields.DURATION_MS: round((time.perf_counter() - g.started_s) * 1000, 3),
        fields.BYTES: g.bytes,
        fields.CLIENT_IP: request.remote_addr,
    }
