"""Serves the page until a signal."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from lokikit.delivery.address import is_loopback
from lokikit.errors import SettingsError
from lokikit.listening import SignalFreeServer, listen, server_config, url_of
from lokikit.page.access import Access
from lokikit.page.app import make_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from lokikit.page.app import Sources

_FINISH_S = 1
"""A live tail has no end: whoever follows one does not keep the server alive."""


def serve_page(
    sources: Sources, host: str, port: int, password: str, started: Callable[[str], None]
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        sources: where the page gets what it shows.
        host: the address to listen on.
        port: 0 takes a free one.
        password: who looks must know it; empty for none.
        started: is called with the address before the first request is answered.

    Raises:
        SettingsError: other machines could look, and there is no password.
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
