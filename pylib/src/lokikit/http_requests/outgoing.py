"""`pass_request_id`: requests to other services carry the id of the served request."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from lokikit.errors import SettingsError
from lokikit.http_requests.request_ids import HEADER
from lokikit.http_requests.request_log import current_id

Client = TypeVar("Client")


def pass_request_id(client: Client) -> Client:
    """Send the bound request id as `X-Request-ID` from now on; return the client.

    A header that the caller sets stays.

    Args:
        client: a `requests.Session`, an `httpx.Client` or an `httpx.AsyncClient`.

    Raises:
        SettingsError: `client` is another object.
    """
    known: Any = client
    if hasattr(client, "event_hooks"):
        is_async = inspect.iscoroutinefunction(known.send)
        hooks = known.event_hooks
        hooks["request"].append(_add_id_async if is_async else _add_id)
        known.event_hooks = hooks
    elif hasattr(client, "prepare_request"):
        prepare = known.prepare_request

        def prepare_with_id(request: Any) -> Any:
            prepared = prepare(request)
            _add_id(prepared)
            return prepared

        known.prepare_request = prepare_with_id
    else:
        raise SettingsError(
            f"pass_request_id cannot tell what {type(client).__name__} is: give it a "
            "requests.Session, an httpx.Client or an httpx.AsyncClient."
        )
    return client


def _add_id(request: Any) -> None:
    if (request_id := current_id()) is not None:
        request.headers.setdefault(HEADER, request_id)


async def _add_id_async(request: Any) -> None:
    _add_id(request)
