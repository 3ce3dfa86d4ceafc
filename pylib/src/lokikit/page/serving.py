"""The server of the page."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from lokikit.delivery.address import is_loopback
from lokikit.errors import SettingsError
from lokikit.listening import SignalFreeServer, listen, server_config, url_of
from lokikit.page.access import Access
from lokikit.page.app import Sources, make_app

_FINISH_S = 1
"""Seconds that open requests may take at the end; a live tail would never end."""


def serve_page(
    sources: Sources, host: str, port: int, password: str, started: Callable[[str], None]
) -> None:
    """Serve until SIGTERM or SIGINT; `started` gets the URL before the first request.

    Port 0 takes a free port; an empty password is none.

    Raises:
        SettingsError: other machines could read the page, and there is no password.
        PrerequisiteError: the port is taken.
    """
    if not is_loopback(host) and not password:
        raise SettingsError(
            f"page: at {host} other machines could read the logs: set PAGE_PASSWORD, or leave "
            "--host out."
        )
    listener = listen(host, port, "the page")
    app = make_app(sources, Access(password))
    server = SignalFreeServer(server_config(app, ws="none", timeout_graceful_shutdown=_FINISH_S))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.stop)
    started(url_of(host, listener))
    with listener:
        asyncio.run(server.serve(sockets=[listener]))
