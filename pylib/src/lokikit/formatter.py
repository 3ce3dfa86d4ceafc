"""`JsonFormatter`: a log record as one line of the contract."""

from __future__ import annotations

import itertools
import logging
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pythonjsonlogger.orjson import OrjsonFormatter

from lokikit import fields as f
from lokikit.clock import StampClock, process_clock
from lokikit.context import bound_fields
from lokikit.records import Record, added_attributes
from lokikit.redaction import SecretNames
from lokikit.settings import read_settings
from lokikit.truncation import cut_line
from lokikit.values import class_name, clean, is_plain, json_value, key_name, text

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCALARS_ONLY = (
    orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
)
"""Leaves to `json_value` what orjson would write otherwise than that does."""
_USUAL_RECORDS = frozenset({Record, logging.LogRecord})
_TRACING = "opentelemetry.trace"
_NO_SECRETS_LEFT = SecretNames()
_MAX_CACHED = 4096
"""Of key names, and of places in the code by thread: both may come without end."""
_START = b'{"%b":"' % f.TIMESTAMP.encode()
_UNKNOWN = (None, "")
_SCALARS = frozenset({str, int, bool, float})
_numbers = itertools.count()


class JsonFormatter(OrjsonFormatter):
    """Formats a record as one line of the contract in `lokikit.fields`.

    It never raises and never loses a record: a value that JSON cannot hold becomes a string,
    a line over `MAX_LINE_BYTES` is cut and marked. To be used by `setup_json_logging`, or in
    a `dictConfig` as `{"()": "lokikit.JsonFormatter", "service": "api"}`.

    Args:
        fmt: ignored like the next three, for the contract says what a line holds; they are
            there so that `class: lokikit.JsonFormatter` works in a `dictConfig`.
        datefmt: ignored.
        style: ignored.
        validate: ignored.
        service: name of the service; from the environment unless given.
        env: where it runs; from the environment unless given.
        version: version of the service; from the environment unless given.
        redact: further words that mark a key as secret, beside those of the environment.
        clock: source of the timestamps.

    Raises:
        SettingsError: a variable of the environment has a value that means nothing.
    """

    def __init__(  # noqa: PLR0913 - the first four are the signature of logging.Formatter
        self,
        fmt: str | None = None,  # noqa: ARG002 - likewise
        datefmt: str | None = None,
        style: str = "%",  # noqa: ARG002 - likewise
        validate: bool = True,  # noqa: ARG002, FBT001, FBT002 - likewise
        *,
        service: str | None = None,
        env: str | None = None,
        version: str | None = None,
        redact: Iterable[str] = (),
        clock: StampClock = process_clock,
    ) -> None:
        super().__init__(datefmt=datefmt)
        settings = read_settings()
        self._secrets = SecretNames([*settings.redact, *redact])
        identity = {
            f.SERVICE: service or settings.service,
            f.ENV: env or settings.env,
            f.VERSION: version or settings.version,
            f.HOST: socket.gethostname(),
        }
        self._identity = {name: clean(value) for name, value in identity.items() if value}
        self._clock = clock
        self._number = next(_numbers)
        self._plain_keys: set[Any] = {f.REQUEST_ID}
        self._places: dict[tuple[Any, ...], tuple[bytes, bytes]] = {}

    def format(self, record: logging.LogRecord) -> str:
        """The line as text, without its line end."""
        return self.render(record).decode()

    def render(self, record: logging.LogRecord) -> bytes:
        """The line as UTF-8, without its line end; the same each time for one record."""
        rendered = record.rendered if type(record) is Record else None
        if rendered is not None and rendered[0] == self._number:
            return rendered[1]
        try:
            line = self._quick_line(record) or self._careful_line(record)
        except Exception as error:  # noqa: BLE001 - no record is ever lost
            line = self._last_resort(record, error)
        if len(line) > f.MAX_LINE_BYTES:
            line = cut_line(orjson.loads(line), f.MAX_LINE_BYTES)
        if type(record) is Record:
            record.rendered = (self._number, line)
        return line

    def _quick_line(self, record: logging.LogRecord) -> bytes | None:
        """The line of a record with nothing unusual about it; `None` for all others.

        One function on purpose: on this way the calls themselves are what costs.
        """
        tracing = sys.modules.get(_TRACING)
        none = getattr(tracing, "INVALID_SPAN", None)
        in_a_span = tracing is not None and tracing.get_current_span() is not none
        unusual = record.exc_info or record.exc_text or record.stack_info or in_a_span
        if unusual or type(record) not in _USUAL_RECORDS:
            return None
        given = added_attributes(record)
        if type(record) is not Record and (bound := bound_fields()):
            given = {**bound, **given}
        msg = record.msg
        if type(msg) is not str or not given.keys() <= self._plain_keys:
            return None
        if f.REQUEST_ID in given and not _stands_first(given):
            return None
        try:
            message = orjson.dumps(msg % record.args if record.args else msg)
            rest = orjson.dumps(given, option=_SCALARS_ONLY)
        except Exception:  # noqa: BLE001 - wrong arguments, or no value for orjson
            return None
        bracket = b"[" in rest or rest.rfind(b"{") > 0
        suspect = bracket and not _SCALARS.issuperset(map(type, given.values()))
        # Perhaps a NaN, or a container whose secrets are still to be found.
        if (suspect or b"null" in rest) and not all(map(is_plain, given.values())):
            return None
        return self._join(record, message, rest)

    def _careful_line(self, record: logging.LogRecord) -> bytes:
        """The line of any record."""
        bound = {} if type(record) is Record else bound_fields()
        given = {**bound, **added_attributes(record)}
        message = _message(record, given)
        rest: dict[str, Any] = _take_ids(given)
        self._add_exception(rest, record)
        for key, value in given.items():
            self._add_given(rest, key, value)
        return self._join(record, _dump(message), _dump(rest))

    def _join(self, record: logging.LogRecord, message: bytes, rest: bytes) -> bytes:
        """The line; what it has before and behind the message is the same for a place in code."""
        place = (
            record.pathname,
            record.lineno,
            record.funcName,
            record.name,
            record.levelno,
            record.threadName,
            record.process,
        )
        head, tail = self._places.get(place) or self._new_place(record, place)
        stamp = self._clock.stamp(record.created)
        if rest == b"{}":
            return b"".join((_START, stamp, head, message, tail, b"}"))
        return b"".join((_START, stamp, head, message, tail, b",", rest[1:]))

    def _new_place(self, record: logging.LogRecord, place: tuple[Any, ...]) -> tuple[bytes, bytes]:
        caller = f"{_short_path(record.pathname)}:{record.lineno} {record.funcName or ''}"
        head = {f.LEVEL: _level_name(record.levelno), f.LOGGER: text(record.name)}
        tail = {
            **self._identity,
            f.PID: record.process or os.getpid(),
            f.THREAD: text(record.threadName or threading.current_thread().name),
            f.CALLER: text(caller.rstrip()),
        }
        around = (
            b'Z",%b,"%b":' % (orjson.dumps(head)[1:-1], f.MESSAGE.encode()),
            b",%b" % orjson.dumps(tail)[1:-1],
        )
        if len(self._places) < _MAX_CACHED:
            self._places[place] = around
        return around

    def _add_given(self, rest: dict[str, Any], key: Any, value: Any) -> None:
        """Add a field under its own name, or the next free one where that is taken."""
        name = key_name(key)
        secret = name in self._secrets
        free = name + f.RESERVED_SUFFIX if name in f.RESERVED_FIELDS else name
        while free in rest:
            free += f.RESERVED_SUFFIX
        rest[free] = f.REDACTED if secret else json_value(value, self._secrets)
        plain = not secret and free == key and not free.endswith(f.RESERVED_SUFFIX)
        if plain and free not in f.CALLER_SETTABLE and len(self._plain_keys) < _MAX_CACHED:
            self._plain_keys.add(free)

    def _add_exception(self, rest: dict[str, Any], record: logging.LogRecord) -> None:
        exception = _exception(record)
        if exception is not None:
            rest[f.EXC_TYPE] = class_name(type(exception))
            rest[f.EXC_MESSAGE] = text(exception)
        if record.exc_text:
            rest[f.STACKTRACE] = text(record.exc_text)
        elif exception is not None:
            rest[f.STACKTRACE] = self._stacktrace(exception)
        if record.stack_info:
            rest[f.STACK] = text(record.stack_info)

    def _stacktrace(self, exception: BaseException) -> str:
        try:
            info = (type(exception), exception, exception.__traceback__)
            return clean(str(self.formatException(info)))
        except Exception as error:  # noqa: BLE001 - a stranger's exception may do anything
            return f"[no stacktrace: formatting it raised {type(error).__name__}]"

    def _last_resort(self, record: logging.LogRecord, error: Exception) -> bytes:
        """The required fields alone, from a record that has something wrong with it."""
        line = {
            f.TIMESTAMP: f"{self._clock.stamp(time.time()).decode()}Z",
            f.LEVEL: _level_name(getattr(record, "levelno", None)),
            f.LOGGER: text(getattr(record, "name", "")),
            f.MESSAGE: text(getattr(record, "msg", "")),
            **self._identity,
            f.PID: os.getpid(),
            f.THREAD: text(threading.current_thread().name),
            f.CALLER: text(getattr(record, "pathname", "")),
            "lokikit_error": f"{type(error).__name__}: {text(error)}",
        }
        return orjson.dumps(line)


def _stands_first(given: dict[Any, Any]) -> bool:
    """Whether the request id is a text that has its place in the order of the contract already."""
    value = given[f.REQUEST_ID]
    return type(value) is str and value != "" and next(iter(given)) == f.REQUEST_ID


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return orjson.dumps(json_value(value, _NO_SECRETS_LEFT))


def _message(record: logging.LogRecord, given: dict[Any, Any]) -> str:
    """The message; the fields of a `dict` that was logged in place of one go to `given`."""
    if type(record.msg) is dict and not record.args:
        given.update(record.msg)
        return text(given.pop(f.MESSAGE, ""))
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - wrong arguments, or a __str__ that raises
        return f"{text(record.msg)} {text(record.args)}"


def _take_ids(given: dict[Any, Any]) -> dict[str, Any]:
    """The ids out of what was given; an active span's own come first and leave those there."""
    names: tuple[str, ...] = (f.REQUEST_ID, f.TRACE_ID, f.SPAN_ID)
    tracing = sys.modules.get(_TRACING)
    span = tracing.get_current_span().get_span_context() if tracing is not None else None
    active = {}
    if span is not None and span.is_valid:
        active = {f.TRACE_ID: f"{span.trace_id:032x}", f.SPAN_ID: f"{span.span_id:016x}"}
    taken = {name: given.pop(name) for name in names if name in given and name not in active}
    # An empty one comes from a header that was not there.
    return {name: text(value) for name, value in taken.items() if value not in _UNKNOWN} | active


def _level_name(number: Any) -> str:
    """The level at or below a number that may lie between two; `info` for what is none."""
    if not isinstance(number, int):
        return "info"
    return f.LEVELS[min(max(number // 10, 1), len(f.LEVELS)) - 1]


def _short_path(path: str) -> str:
    """The path below the import folder that it lies in, or below the current folder."""
    folders = sorted({str(Path(folder).absolute()) for folder in (*sys.path, ".")}, key=len)
    for folder in reversed(folders):
        if path.startswith(folder + os.sep):
            return path[len(folder) + 1 :]
    return path


def _exception(record: logging.LogRecord) -> BaseException | None:
    """The exception, in whatever form a caller or a handler left it in the record."""
    info: Any = record.exc_info
    if info is True:
        info = sys.exc_info()
    value = info[1] if isinstance(info, tuple) and len(info) > 1 else info
    return value if isinstance(value, BaseException) else None
