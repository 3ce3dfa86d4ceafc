"""Runs the store's server: as a process of its own, or in a thread of this process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.errors import PrerequisiteError
from lokikit.listening import SignalFreeServer, listen, server_config, url_of
from lokikit.store.api.app import App
from lokikit.store.api.engine import Engine
from lokikit.store.api.work import Workers
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store
from lokikit.store.settings import ServerSettings
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    import uvicorn

    from lokikit.store.logql.series import Sampler
    from lokikit.store.sql.part_facts import PartFacts

_KEEP_ALIVE_S = 75
_FINISH_S = 10
_MAX_HEAD_BYTES = 1 << 20
_START_S = 60
_SWITCH_S = 0.001
"""A push waits this long for each query that computes, instead of Python's 5 ms."""

_COLLECT_OBJECTS = 50_000
"""New objects before Python looks for cycles among them: a push makes thousands, none in a cycle,
and with Python's 700 a tenth of its time went there."""
_IMPORTED_LATER = (
    "api.pushes",
    "segments.arrow_columns",
    "api.queries",
    "api.tail",
    "logql.evaluator",
    "logql.templates.template",
    "sql.entries",
    "sql.samples",
)


class _SqlSamplers:
    """Makes the fast paths of queries; imported by the first, so that the store starts sooner."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, threading.Lock()
        self._facts: PartFacts | None = None

    def __call__(self, check: Callable[[], None]) -> Sequence[Sampler]:
        """The fast paths of one query."""
        from lokikit.store.sql.part_facts import PartFacts  # noqa: PLC0415 - as above
        from lokikit.store.sql.samples import SqlSampler  # noqa: PLC0415 - as above

        with self._lock:
            self._facts = self._facts or PartFacts()
        return (SqlSampler(self._store, check, self._facts),)


class ServedFolder:
    """An open store with its server, which `run` serves until `stop`.

    Attributes:
        store: the open store.
        port: port of the address.
        url: the address.
    """

    def __init__(self, settings: ServerSettings) -> None:
        limits = settings.limits
        self._socket = listen(settings.host, settings.port, "the store")
        self.port: int = self._socket.getsockname()[1]
        self.url = url_of(settings.host, self._socket)
        try:
            self.store = _open(settings)
        except BaseException:
            self._socket.close()
            raise
        store = self.store
        engine = Engine(store, limits, _SqlSamplers(store))
        self._workers = Workers(settings.max_queries, settings.max_pushes, limits.query_timeout_s)
        self._server = SignalFreeServer(_config(App(store, engine, self._workers)))

    def run(self) -> None:
        """Serve until `stop`, finish what runs, and close the store."""
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        finally:
            self._socket.close()
            self._workers.close()
            self.store.close()

    def stop(self, *_: object) -> None:
        """Make `run` end; callable as a signal's handler. A second call does not wait."""
        self._server.stop()

    def wait_until_answering(self, is_alive: Callable[[], bool]) -> None:
        """Return when requests are answered.

        Raises:
            PrerequisiteError: the server ended before.
        """
        while not self._server.answering.wait(0.05):
            if not is_alive():
                raise PrerequisiteError(f"the store's server at {self.url} ended at its start")


def serve(settings: ServerSettings, started: Callable[[str], None]) -> None:
    """Serve a folder until SIGTERM or SIGINT; `started` gets the address before the first request.

    Raises:
        PrerequisiteError: the port or the folder is taken, or cannot be written to.
    """
    sys.setswitchinterval(_SWITCH_S)
    served = ServedFolder(settings)
    gc.freeze()
    gc.set_threshold(_COLLECT_OBJECTS, *gc.get_threshold()[1:])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, served.stop)
    started(served.url)
    threading.Thread(target=_import_later_parts, name="store-imports", daemon=True).start()
    served.run()


@dataclass(frozen=True)
class RunningStore:
    """A store that a thread of this process serves."""

    url: str
    port: int
    store: Store


@contextlib.contextmanager
def running_store(
    folder: Path, port: int = 0, settings: ServerSettings | None = None
) -> Iterator[RunningStore]:
    """A store that a thread of this process serves until the end of the block.

    Args:
        folder: holds the data.
        port: 0 takes a free one.
        settings: in place of the settings of the kit; `folder` and `port` override its own.

    Raises:
        PrerequisiteError: the port or the folder is taken, or cannot be written to.
    """
    _import_later_parts()
    base = settings or ServerSettings(folder)
    served = ServedFolder(
        ServerSettings(folder, base.host, port, base.limits, base.max_queries, base.max_pushes)
    )
    thread = threading.Thread(target=served.run, name="lokikit-store", daemon=True)
    thread.start()
    try:
        served.wait_until_answering(thread.is_alive)
        yield RunningStore(served.url, served.port, served.store)
    finally:
        served.stop()
        thread.join(_START_S)


def _import_later_parts() -> None:
    """Import what a start leaves to the first push or query, so that neither waits for it."""
    for name in _IMPORTED_LATER:
        importlib.import_module(f"lokikit.store.{name}")


def _config(app: App) -> uvicorn.Config:
    # uvicorn calls a refused websocket a mistake of the application.
    logging.getLogger("uvicorn.error").addFilter(_is_no_refusal)
    return server_config(
        app,
        ws="websockets-sansio",
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_FINISH_S,
        h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
    )


def _is_no_refusal(record: logging.LogRecord) -> bool:
    return "without completing handshake" not in str(record.msg)


def _open(settings: ServerSettings) -> Store:
    limits = settings.limits
    try:
        settings.folder.mkdir(parents=True, exist_ok=True)
        stored = StoreSettings(
            retention_s=limits.retention_ns / NS_PER_S,
            min_free_bytes=_min_free_bytes(settings.folder, limits.disk_full_threshold),
        )
        return Store.open(settings.folder, stored)
    except OSError as error:
        raise PrerequisiteError(
            f"the store cannot write to {settings.folder}: {error.strerror or error}; "
            "choose another folder with --data."
        ) from error


def _min_free_bytes(folder: Path, threshold: float) -> int:
    """What must stay free: Loki's share of a small disk, and less of a large one."""
    share = shutil.disk_usage(folder).total * (1 - threshold)
    return min(StoreSettings.min_free_bytes, int(share))
