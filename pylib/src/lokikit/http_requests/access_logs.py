"""Access lines of servers as request lines, where no middleware logs these."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any
from urllib.parse import unquote

from lokikit.http_requests.request_ids import ids_of
from lokikit.http_requests.request_log import RequestLog
from lokikit.http_requests.served import are_logged_here, is_served_here, was_logged_elsewhere
from lokikit.http_requests.wsgi import wsgi_path
from lokikit.output.event_log import drop_duplicate_records

_WEBSOCKET_STATES = ("connection open", "connection closed", "connection rejected")
"""Messages of the `websockets` package, which logs to Uvicorn's logger."""
LOGGED = "lokikit_logged"
"""Key among the values of Gunicorn's access line: its logger has logged the request itself."""


def take_in_access_lines() -> None:
    """Turn the access lines of servers into request lines, once."""
    for name, log in _SERVERS.items():
        drop_duplicate_records(name, log)
        logging.getLogger(name).setLevel(logging.INFO)
    drop_duplicate_records("uvicorn.error", _is_of_websocket)
    uvicorn = logging.getLogger("uvicorn.error")
    if _without_colours not in uvicorn.filters:
        uvicorn.addFilter(_without_colours)


def _without_colours(record: logging.LogRecord) -> bool:
    """Return True; remove the message with escapes for a terminal from the fields."""
    vars(record).pop("color_message", None)
    return True


def _is_of_websocket(record: logging.LogRecord) -> bool:
    """Return True for a line of Uvicorn about a WebSocket that has a line of its own."""
    if record.levelno > logging.INFO or not is_served_here() or not _requests().enabled:
        return False
    text = str(record.msg)
    return '- "WebSocket %s"' in text or text.startswith(_WEBSOCKET_STATES)


@cache
def _requests() -> RequestLog:
    return RequestLog()


def _log_uvicorn(record: logging.LogRecord) -> bool:
    """Return True for an access line, which is logged as a request line."""
    args: Any = record.args
    if not isinstance(args, tuple) or len(args) != 5:  # noqa: PLR2004 - its `AccessFormatter`
        return False
    client, method, path, _, status = args
    if not are_logged_here(record):
        requests = _requests()
        requests.write(
            method,
            unquote(path.partition("?")[0]),
            status=int(status),
            client_ip=requests.client_ip(str(client).rpartition(":")[0], ""),
        )
    return True


def _log_hypercorn(record: logging.LogRecord) -> bool:
    """Return True for an access line, which is logged as a request line."""
    atoms: Any = record.args
    if not isinstance(atoms, dict) or "U" not in atoms:
        return False
    if not are_logged_here(record):
        _log_atoms(atoms, atoms["U"], str(atoms["h"]).rpartition(":")[0])
    return True


def _log_gunicorn(record: logging.LogRecord) -> bool:
    """Return True for an access line of Gunicorn, which is logged as a request line."""
    atoms: Any = record.args
    if not isinstance(atoms, dict) or "U" not in atoms:
        return False
    if LOGGED not in atoms and not are_logged_here(record):
        # The text is made for a line within quotes.
        path = wsgi_path({"PATH_INFO": str(atoms["U"]).replace('\\"', '"')})
        _log_atoms(atoms, path, str(atoms["h"]))
    return True


def _log_atoms(atoms: Any, path: str, peer: str) -> None:
    """Log a request whose values are named by the letters of Apache's `LogFormat`."""
    requests = _requests()
    requests.write(
        atoms["m"],
        path,
        status=int(atoms["s"]) if str(atoms["s"]).isdecimal() else 0,
        size_bytes=int(atoms["B"]) if str(atoms["B"]).isdecimal() else None,
        client_ip=requests.client_ip(peer, atoms.get("{x-forwarded-for}i", "")),
        duration_ms=atoms["D"] / 1000,
        ids=ids_of(atoms.get("{x-request-id}i"), atoms.get("{traceparent}i")),
    )


def _log_channels(record: logging.LogRecord) -> bool:
    """Return True for an access line of Daphne's `runserver`, which has a context of its own."""
    fields: Any = record.args
    if not isinstance(fields, dict) or not {"method", "path", "status"} <= fields.keys():
        return False
    path = unquote(str(fields["path"]).partition("?")[0])
    if not was_logged_elsewhere(path):
        requests = _requests()
        requests.write(
            fields["method"],
            path,
            status=int(fields["status"]),
            client_ip=requests.client_ip(str(fields.get("client") or "").rpartition(":")[0], ""),
            duration_ms=round(float(fields.get("time_taken") or 0) * 1000, 3),
        )
    return True


_SERVERS = {
    "django.channels.server": _log_channels,
    "gunicorn.access": _log_gunicorn,
    "hypercorn.access": _log_hypercorn,
    "uvicorn.access": _log_uvicorn,
}
"""Logger of access lines -> function that logs them as request lines."""
