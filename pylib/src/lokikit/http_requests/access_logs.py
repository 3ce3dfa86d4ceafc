"""Access lines of Uvicorn and Hypercorn as request lines, where no middleware logs them."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any
from urllib.parse import unquote

from lokikit.http_requests.request_log import RequestLog, sane_id
from lokikit.http_requests.served import are_told_here
from lokikit.output.told_once import leave_out


def take_in_access_lines() -> None:
    """Turn the access lines of servers into request lines, once."""
    for name, tell in (("uvicorn.access", _tell_uvicorn), ("hypercorn.access", _tell_hypercorn)):
        leave_out(name, tell)
        logging.getLogger(name).setLevel(logging.INFO)
    uvicorn = logging.getLogger("uvicorn.error")
    if _without_colours not in uvicorn.filters:
        uvicorn.addFilter(_without_colours)


def _without_colours(record: logging.LogRecord) -> bool:
    """Return True; remove the message with escapes for a terminal from the fields."""
    vars(record).pop("color_message", None)
    return True


@cache
def _requests() -> RequestLog:
    return RequestLog()


def _tell_uvicorn(record: logging.LogRecord) -> bool:
    """Return True for an access line, which is logged as a request line."""
    args: Any = record.args
    if not isinstance(args, tuple) or len(args) != 5:  # noqa: PLR2004 - its `AccessFormatter`
        return False
    client, method, path, _, status = args
    if not are_told_here(record):
        requests = _requests()
        requests.tell(
            method,
            unquote(path.partition("?")[0]),
            status=int(status),
            client_ip=requests.client_ip(str(client).rpartition(":")[0], ""),
        )
    return True


def _tell_hypercorn(record: logging.LogRecord) -> bool:
    """Return True for an access line, which is logged as a request line."""
    atoms: Any = record.args
    if not isinstance(atoms, dict) or "U" not in atoms:
        return False
    if not are_told_here(record):
        requests = _requests()
        requests.tell(
            atoms["m"],
            atoms["U"],
            status=int(atoms["s"]) if str(atoms["s"]).isdecimal() else 0,
            size_bytes=int(atoms["B"]) if str(atoms["B"]).isdecimal() else None,
            client_ip=requests.client_ip(
                str(atoms["h"]).rpartition(":")[0], atoms.get("{x-forwarded-for}i", "")
            ),
            duration_ms=atoms["D"] / 1000,
            request_id=sane_id(atoms.get("{x-request-id}i")),
        )
    return True
