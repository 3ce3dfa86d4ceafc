"""`LokiHandler`: pushes the lines of a process to Loki, without delaying its callers."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import logging_loki
from logging_loki.emitter import LokiEmitterV1

from lokikit.delivery.credentials import identity_headers
from lokikit.delivery.dead_letters import DeadLetters
from lokikit.delivery.push_api import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, Pusher
from lokikit.errors import SettingsError
from lokikit.fields import HOST, LABEL_FIELDS, MAX_LINE_BYTES, UNKNOWN_SERVICE
from lokikit.notices import Notices
from lokikit.output.json_formatter import JsonFormatter
from lokikit.output.log_record import install_records
from lokikit.output.root_guard import is_forced
from lokikit.output.safe_text import key_name
from lokikit.output.timestamps import process_clock
from lokikit.push.exit_time import CLOSE_S, ExitTime
from lokikit.push.flush_at_exit import flush_on_sigterm
from lokikit.push.handler_arguments import (
    check_credentials,
    check_modes,
    check_sizes,
    read_timeouts,
)
from lokikit.push.stream_labels import LabelMaker
from lokikit.push.worker import PushWorker
from lokikit.settings import FSYNC, read_settings
from lokikit.spool.spool import DEAD_LETTERS, Spool

if TYPE_CHECKING:
    from lokikit.push.queue import Item

MAX_RECORDS = 50_000
MAX_BYTES = 32 * 1024 * 1024
SPOOL_MAX_BYTES = 256 * 1024 * 1024
SPOOL_MAX_AGE_S = 7 * 86_400.0
BLOCK_S = 1.0
_STAMP = slice(len('{"timestamp":"'), len('{"timestamp":"2026-11-21T10:00:00.123456'))


class LokiHandler(logging_loki.LokiHandler):  # type: ignore[misc]  # its package has no types
    """Pushes the line of each record to Loki, from a thread of its own.

    The caller formats the record and queues the bytes: it never waits for the network, and no
    error is raised into it. While Loki is away lines wait in memory, and in the folder
    `spool_dir` on disk; dropped lines are counted (see `stats`).

    Takes the arguments of python-logging-loki's handler, so that its users change one import.

    Args:
        url: URL of Loki, with or without the path of its push API; may hold credentials.
        tags: labels of every line; a record adds labels by `extra={"tags": {...}}`.
        auth: user and password.
        version: `"0"` or `"1"`, accepted for users of python-logging-loki; both have the same
            effect, because Loki has one form now.
        headers: headers of each push.
        tenant: value of `X-Scope-OrgID`.
        bearer_token: token in `Authorization`, in place of `auth`.
        ca_file: PEM file of certificates to trust; by default that of `REQUESTS_CA_BUNDLE`, else
            the public authorities in the package `certifi`.
        client_cert: a PEM file with certificate and key, or a pair of two files.
        verify: `False` trusts any server.
        timeout_s: seconds to connect, and for each read of the answer; a number sets both.
        max_records: number of records that the queue holds.
        max_bytes: number of bytes that the queue holds.
        on_full: action of a full queue without a spool: `drop` drops and counts the oldest
            record, `block` first blocks the caller for at most `block_timeout_s`.
        block_timeout_s: see `on_full`.
        spool_dir: folder for lines that wait on disk; several processes may share it.
        spool_max_bytes: size of a process's spool; beyond it the oldest lines are dropped and
            counted.
        spool_max_age_s: seconds after which lines are dropped and counted.
        durable: True writes the line to a file before `logger.info()` returns, so that the end of
            the process, by SIGKILL too, does not lose it; `"fsync"` writes it to the disk itself,
            so that a power cut does not lose it, at the cost of a write to the disk for each
            line. Needs `spool_dir`.
        service: name of the service; read from the environment by default.
        env: environment of the service; read from the environment by default.

    Attributes:
        end: time for the exit, which it shares with the handlers that it replaces.
        is_retired: True when another set-up has replaced it, and it delivers the rest.

    Raises:
        SettingsError: an argument is wrong; the text names the fix.
        ValueError: `version` is another value, as in python-logging-loki.
    """

    made_by_setup = False
    """True when `setup_json_logging` made the handler, and may replace it."""

    def __init__(  # noqa: PLR0913 - all but the first four by keyword
        self,
        url: str,
        tags: Mapping[Any, Any] | None = None,
        auth: tuple[str, str] | None = None,
        version: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        tenant: str | None = None,
        bearer_token: str | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        client_cert: str | tuple[str, str] | None = None,
        verify: bool = True,
        timeout_s: float | tuple[float, float] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
        max_records: int = MAX_RECORDS,
        max_bytes: int = MAX_BYTES,
        on_full: str = "drop",
        block_timeout_s: float = BLOCK_S,
        spool_dir: str | os.PathLike[str] | None = None,
        spool_max_bytes: int = SPOOL_MAX_BYTES,
        spool_max_age_s: float = SPOOL_MAX_AGE_S,
        durable: bool | str = False,
        service: str | None = None,
        env: str | None = None,
    ) -> None:
        if version is not None and version not in self.emitters:
            raise ValueError(f"Unknown emitter version: {version}")
        check_modes(on_full, durable, spool_dir)
        check_sizes(max_records=max_records, max_bytes=max_bytes)
        check_credentials(auth, tags, headers)
        timeouts_s = read_timeouts(timeout_s)
        formatter = JsonFormatter(service=service, env=env)
        self.emitter = LokiEmitterV1(url, dict(tags or {}), auth)
        self._notices = Notices()
        folder = Path(spool_dir) if spool_dir is not None else None
        self._worker = PushWorker(
            lambda: Pusher(
                url,
                headers={**identity_headers(tenant, bearer_token or auth), **dict(headers or {})},
                timeout_s=timeouts_s,
                verify=str(ca_file) if ca_file and verify else verify,
                client_cert=client_cert,
            ),
            spool=None
            if folder is None
            else _open_spool(folder, spool_max_bytes, spool_max_age_s, sync=durable == FSYNC),
            dead_letters=DeadLetters(folder and folder / DEAD_LETTERS),
            notices=self._notices,
            max_records=max_records,
            max_bytes=max_bytes,
            block_s=block_timeout_s if on_full == "block" else 0.0,
            durable=bool(durable),
        )
        settings = read_settings()
        fixed = {"service": key_name(service or settings.service or UNKNOWN_SERVICE)}
        fixed["env"] = key_name(env or settings.env or "")
        self._labels = LabelMaker(
            {label: fixed[field] for label, field in LABEL_FIELDS.items()},
            self.emitter.tags,
            {HOST: socket.gethostname()},
            clean=self.emitter.format_label,
            warn=self._notices.say,
        )
        self.end = ExitTime()
        self.is_retired = False
        # Last, because from here on `logging` closes this handler at the exit, which needs all of
        # the above. The parent's `__init__` only warns of an API that is gone.
        logging.Handler.__init__(self)
        self.setFormatter(formatter)
        install_records()
        flush_on_sigterm()
        _handlers.add(self)

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 - stdlib's name
        """Use a formatter; a formatter that is no `JsonFormatter` gives the line as text."""
        super().setFormatter(fmt)
        # Exactly this class: a subclass may write something else.
        self._json = fmt if type(fmt) is JsonFormatter else None

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter and queue a record, without the stdlib's lock: the queue has its own."""
        if self.filters:
            kept: Any = self.filter(record)
            if not kept:
                return False
            record = kept if isinstance(kept, logging.LogRecord) else record
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line; records of the sending thread itself are left out."""
        if threading.get_ident() in self._worker.senders:
            return
        try:
            self._worker.put(self._item(record))
        except Exception as error:  # noqa: BLE001 - logging never raises into the application
            self._worker.count_lost(f"{type(error).__name__}: {error}")

    def _item(self, record: logging.LogRecord) -> Item:
        if self._json is not None:
            # A copy: orjson 3.13 leaves 4 KiB to each line that it writes, and many may wait.
            line = bytes(memoryview(self._json.render(record)))
            stamp = line[_STAMP]
        else:
            line = _cut(self.format(record).encode("utf-8", "replace"))
            stamp = process_clock.stamp(record.created)
        tags = record.__dict__.get("tags")
        if isinstance(tags, dict):
            labels, metadata = self._labels.of_record(tags)
        else:
            labels, metadata = self._labels.labels, self._labels.metadata
        return stamp, line, labels, metadata

    def stats(self) -> dict[str, Any]:
        """Return the counts of the records so far, and the state of the worker.

        `queued` (in memory), `sent`, `bytes` (of lines sent), `batches`, `retried` (repeated
        pushes), `dropped` (by reason), `spooled` (on disk now), `dead` (kept as dead letters),
        `connected` (`None` before the first answer), `worker_alive`, `last_error`,
        `oldest_age_s` (age of the oldest queued record).
        """
        return self._worker.stats()

    def flush(self, timeout_s: float = CLOSE_S) -> bool:
        """Wait until all earlier records are delivered; return False after the time."""
        if self.is_retired:
            return self._worker.flush(min(timeout_s, self.end.left_s()))
        began_s = time.monotonic()
        done = self._worker.flush(timeout_s)
        self.end.by_s = None if done else began_s + CLOSE_S
        return done

    def close(self) -> None:
        """Deliver the queued records, then spool or count the rest.

        A flush and the closing after it, as in `logging.shutdown`, share `CLOSE_S`, also with the
        handlers that this handler has replaced.
        """
        if is_forced(self, sys._getframe(1)):  # noqa: SLF001 - who closes it
            return
        try:
            self._worker.close(self.end.left_s())
            self.emitter.close()
        except Exception as error:  # noqa: BLE001 - an error must not keep the process from its end
            self._notices.say("error", f"push: closing: {type(error).__name__}: {error}")
        finally:
            logging.Handler.close(self)

    def retire(self, heir: LokiHandler | None = None) -> None:
        """Deliver the queued records in the background, then end; `heir` gets all later records.

        At the exit both share `CLOSE_S`.
        """
        self.is_retired = True
        if heir is not None:
            self.end = heir.end
        _retired.add(self)
        self._worker.retire(lambda: _retired.discard(self))

    def after_fork_in_child(self) -> None:
        """Give a forked child a queue, a thread, a connection and segments of its own."""
        self._worker.after_fork_in_child()


def _open_spool(folder: Path, max_bytes: int, max_age_s: float, *, sync: bool) -> Spool:
    try:
        return Spool(folder, max_bytes=max_bytes, max_age_s=max_age_s, sync=sync)
    except OSError as error:
        raise SettingsError(
            f"the spool cannot be in {folder} ({error.strerror}): let spool_dir or LOKI_SPOOL_DIR "
            "name a folder that this process may make and write."
        ) from error


def _cut(line: bytes) -> bytes:
    """Return the line, cut at a character to the size that Loki takes."""
    if len(line) <= MAX_LINE_BYTES:
        return line
    return line[:MAX_LINE_BYTES].decode("utf-8", "ignore").encode()


_retired: set[LokiHandler] = set()
"""Retired handlers, kept until they have delivered their records, or the exit closes them."""
_handlers: weakref.WeakSet[LokiHandler] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for handler in list(_handlers):
        handler.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
