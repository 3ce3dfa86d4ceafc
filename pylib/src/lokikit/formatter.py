"""`JsonFormatter`: a log record as one line of the contract."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.orjson import OrjsonFormatter

from lokikit import fields as f
from lokikit.clock import StampClock, process_clock
from lokikit.context import bound_fields
from lokikit.redaction import SecretNames
from lokikit.settings import read_settings
from lokikit.truncation import cut_line
from lokikit.values import clean, json_value, key_name, text

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable

_STANDARD_ATTRIBUTES = frozenset(RESERVED_ATTRS) | {"taskName"}
_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
"""Types that orjson writes as they are, but for the odd value that `_dump` sees to."""
_NO_SECRETS_LEFT = SecretNames()
_LEVEL_NAMES = {10 * (number + 1): name for number, name in enumerate(f.LEVELS)}
_MAX_CACHED = 4096
"""Of key names and source paths: keys may come from the outside, without end."""


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
        self._plain_keys: set[Any] = set()
        self._paths: dict[str, str] = {}

    def format(self, record: logging.LogRecord) -> str:
        """The line as text, without its line end."""
        return self.render(record).decode()

    def render(self, record: logging.LogRecord) -> bytes:
        """The line as UTF-8, without its line end."""
        try:
            line = _dump(self.process_log_record(self.line_fields(record)))
        except Exception as error:  # noqa: BLE001 - no record is ever lost
            line = _dump(self._last_resort(record, error))
        if len(line) > f.MAX_LINE_BYTES:
            return cut_line(orjson.loads(line), f.MAX_LINE_BYTES)
        return line

    def line_fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """The fields of the line, in the order of the contract."""
        line = self._required(record)
        given: dict[Any, Any] = {**bound_fields()}
        given.update(
            {
                name: value
                for name, value in record.__dict__.items()
                if name not in _STANDARD_ATTRIBUTES
            }
        )
        if type(record.msg) is dict and not record.args:
            given.update(record.msg)
            line[f.MESSAGE] = text(given.pop(f.MESSAGE, ""))
        _add_ids(line, given)
        if record.exc_info or record.exc_text or record.stack_info:
            self._add_exception(line, record)
        plain = self._plain_keys
        for key, value in given.items():
            if key in plain:
                line[key] = (
                    value if type(value) in _AS_THEY_ARE else json_value(value, self._secrets)
                )
            else:
                self._add_uncommon(line, key, value)
        return line

    def _required(self, record: logging.LogRecord) -> dict[str, Any]:
        """The fields that every line has, with those of the service between them."""
        return {
            f.TIMESTAMP: self._clock.stamp(record.created),
            f.LEVEL: _LEVEL_NAMES.get(record.levelno) or _level_name(record.levelno),
            f.LOGGER: record.name,
            f.MESSAGE: _message(record),
            **self._identity,
            f.PID: record.process or os.getpid(),
            f.THREAD: record.threadName or threading.current_thread().name,
            f.CALLER: self._caller(record),
        }

    def _caller(self, record: logging.LogRecord) -> str:
        path = self._paths.get(record.pathname)
        if path is None:
            path = _short_path(record.pathname)
            if len(self._paths) < _MAX_CACHED:
                self._paths[record.pathname] = path
        return f"{path}:{record.lineno} {record.funcName or ''}".rstrip()

    def _add_uncommon(self, line: dict[str, Any], key: Any, value: Any) -> None:
        """Add a key that is seen for the first time, names a secret or has to be renamed."""
        name = key_name(key)
        secret = name in self._secrets
        free = name + f.RESERVED_SUFFIX if name in f.RESERVED_FIELDS else name
        while free in line:
            free += f.RESERVED_SUFFIX
        line[free] = f.REDACTED if secret else json_value(value, self._secrets)
        common = not secret and free == key and not free.endswith(f.RESERVED_SUFFIX)
        if common and free not in f.CALLER_SETTABLE and len(self._plain_keys) < _MAX_CACHED:
            self._plain_keys.add(free)

    def _add_exception(self, line: dict[str, Any], record: logging.LogRecord) -> None:
        exception = _exception(record)
        if exception is not None:
            line[f.EXC_TYPE] = _class_name(type(exception))
            line[f.EXC_MESSAGE] = text(exception)
        if record.exc_text:
            line[f.STACKTRACE] = text(record.exc_text)
        elif exception is not None:
            line[f.STACKTRACE] = self._stacktrace(exception)
        if record.stack_info:
            line[f.STACK] = text(record.stack_info)

    def _stacktrace(self, exception: BaseException) -> str:
        try:
            info = (type(exception), exception, exception.__traceback__)
            return clean(str(self.formatException(info)))
        except Exception as error:  # noqa: BLE001 - a stranger's exception may do anything
            return f"[no stacktrace: formatting it raised {type(error).__name__}]"

    def _last_resort(self, record: logging.LogRecord, error: Exception) -> dict[str, Any]:
        """The required fields alone, from a record that has something wrong with it."""
        return {
            f.TIMESTAMP: self._clock.stamp(time.time()),
            f.LEVEL: _level_name(getattr(record, "levelno", None)),
            f.LOGGER: text(getattr(record, "name", "")),
            f.MESSAGE: text(getattr(record, "msg", "")),
            **self._identity,
            f.PID: os.getpid(),
            f.THREAD: threading.current_thread().name,
            f.CALLER: text(getattr(record, "pathname", "")),
            "lokikit_error": f"{type(error).__name__}: {text(error)}",
        }


def _dump(line: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(line)
    except (TypeError, ValueError, RecursionError):
        return orjson.dumps(json_value(line, _NO_SECRETS_LEFT))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - wrong arguments, or a __str__ that raises
        return f"{text(record.msg)} {text(record.args)}"


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
    return clean(path)


def _class_name(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def _exception(record: logging.LogRecord) -> BaseException | None:
    """The exception, in whatever form a caller or a handler left it in the record."""
    info: Any = record.exc_info
    if info is True:
        info = sys.exc_info()
    value = info[1] if isinstance(info, tuple) and len(info) > 1 else info
    return value if isinstance(value, BaseException) else None


def _add_ids(line: dict[str, Any], given: dict[Any, Any]) -> None:
    """Move the ids that the caller gave to their place; an active span wins over them."""
    if f.REQUEST_ID in given:
        line[f.REQUEST_ID] = text(given.pop(f.REQUEST_ID))
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None and (span := trace.get_current_span().get_span_context()).is_valid:
        line[f.TRACE_ID] = f"{span.trace_id:032x}"
        line[f.SPAN_ID] = f"{span.span_id:016x}"
        return
    for name in (f.TRACE_ID, f.SPAN_ID):
        if name in given:
            line[name] = text(given.pop(name))
