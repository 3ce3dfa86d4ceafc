"""A connection to Loki's live tail: messages over a websocket."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import orjson
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from lokikit.errors import RefusedError, UnreachableError
from lokikit.query.http import Transport, away, refusal
from lokikit.query.results import LogEntry, read_streams

_OPEN_TIMEOUT_S = 5
_CLOSE_TIMEOUT_S = 1


class Feed:
    """An open connection to a Loki, whose `url` is for errors."""

    def __init__(self, connection: ClientConnection, url: str) -> None:
        self._connection = connection
        self._url = url

    def receive(self, timeout_s: float) -> tuple[list[LogEntry], list[int]]:
        """Return the next entries, none after a timeout, and the times of entries left out.

        Loki leaves entries out rather than wait for a slow reader.

        Args:
            timeout_s: seconds to wait, `math.inf` for ever.

        Raises:
            UnreachableError: the connection is lost.
        """
        limit = None if math.isinf(timeout_s) else max(timeout_s, 0)
        try:
            message = orjson.loads(self._connection.recv(timeout=limit))
        except TimeoutError:
            return [], []
        except ConnectionClosed as error:
            reason = (error.rcvd and error.rcvd.reason) or "connection lost"
            text = f"Loki at {self._url} ended the live tail: {reason}"
            raise UnreachableError(text) from error
        left_out = message.get("dropped_entries") or ()
        entries = list(read_streams(message["streams"]))
        return entries, [int(entry["timestamp"]) for entry in left_out]


@contextmanager
def open_feed(transport: Transport, query: str) -> Iterator[Feed]:
    """Open a connection on which Loki sends the entries of `query` that arrive from now on.

    Raises:
        SettingsError: Loki does not accept the query.
        RefusedError: Loki answers with another error.
        UnreachableError: the connection cannot be made.
    """
    parameters = urlencode({**transport.parameters, "query": query, "start": time.time_ns()})
    address = f"ws{transport.url.removeprefix('http')}/loki/api/v1/tail?{parameters}"
    try:
        connection = connect(
            address,
            additional_headers=transport.headers,
            open_timeout=_OPEN_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            max_size=None,
            proxy=None if transport.local else True,
            ssl=transport.tls.context() if address.startswith("wss:") else None,
        )
    except InvalidStatus as error:
        response = error.response
        text = (response.body or b"").decode(errors="replace")
        raise refusal(transport.url, response.status_code, text) from error
    except InvalidHandshake as error:
        text = (
            f"{transport.url} gives no live tail ({error}): let proxies before it pass WebSockets."
        )
        raise RefusedError(text, status=200) from error
    except (OSError, EOFError) as error:
        raise away(transport.url, error) from error
    with connection:
        yield Feed(connection, transport.url)
