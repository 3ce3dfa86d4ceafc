"""`JsonFormatter`: a log record as one line of the contract."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import orjson
from pythonjsonlogger.orjson import OrjsonFormatter

from lokikit import fields as f
from lokikit.output.active_span import span_ids
from lokikit.output.caller import caller
from lokikit.output.json_values import (
    WRITTEN_AS_IS,
    Walk,
    is_plain,
    json_value,
    redacted_text,
)
from lokikit.output.level_names import LEVELS, level_at_or_below, own_level
from lokikit.output.log_record import Record, given_fields
from lokikit.output.redaction import AT, SecretNames, mask_url_passwords
from lokikit.output.safe_text import COLOUR_CODE, class_name, clean, key_name, text
from lokikit.output.stacktraces import format_exception
from lokikit.output.timestamps import StampClock, process_clock
from lokikit.output.truncation import cut_line
from lokikit.settings import read_settings, words_of

_IDS = (f.REQUEST_ID, f.TRACE_ID, f.SPAN_ID)
_NO_SECRETS_LEFT = SecretNames()
_ANY_ID = frozenset(_IDS)
_MAX_CACHED = 4096
"""Names of fields; one more, and all are learned again."""
_UNKNOWN = (None, "")
_INFO = 3
"""The parts of `sys.exc_info()`."""
_IGNORED_ARGUMENTS = frozenset(
    {
        *("format", "defaults", "prefix", "rename_fields", "rename_fields_keep_missing"),
        *("static_fields", "reserved_attrs", "timestamp", "exc_info_as_array"),
        *("stack_info_as_array", "json_default", "json_encoder", "json_serializer"),
        *("json_indent", "json_ensure_ascii"),
    }
)
"""Arguments of python-json-logger's formatters and of `logging.Formatter`."""


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
        service: name of the service; read from the environment by default.
        env: where it runs; read from the environment by default.
        version: version of the service; read from the environment by default.
        redact: further words that mark a key as secret, beside those of the environment.
        clock: source of the timestamps.
        ignored: arguments of python-json-logger, so that a `dictConfig` may keep them.

    Raises:
        TypeError: an argument is none of those.
        SettingsError: a variable of the environment has a value that means nothing.
    """

    def __init__(  # noqa: PLR0913 - the first four are the signature of logging.Formatter
        self,
        fmt: str | None = None,  # noqa: ARG002 - accepted as by `logging.Formatter`
        datefmt: str | None = None,
        style: str = "%",  # noqa: ARG002 - accepted as by `logging.Formatter`
        validate: bool = True,  # noqa: ARG002, FBT001, FBT002 - accepted as by `logging.Formatter`
        *,
        service: str | None = None,
        env: str | None = None,
        version: str | None = None,
        redact: str | Iterable[str] = (),
        clock: StampClock = process_clock,
        **ignored: Any,
    ) -> None:
        if unknown := ignored.keys() - _IGNORED_ARGUMENTS:
            raise TypeError(f"{type(self).__name__} takes no argument {', '.join(sorted(unknown))}")
        super().__init__(datefmt=datefmt)
        settings = read_settings()
        self._secrets = SecretNames([*settings.redact, *words_of(redact)])
        identity = {
            f.SERVICE: service or settings.service,
            f.ENV: env or settings.env,
            f.VERSION: version or settings.version,
            f.HOST: socket.gethostname(),
        }
        known = {name: key_name(value) for name, value in identity.items() if value}
        self._head = {
            **dict.fromkeys((f.TIMESTAMP, f.LEVEL, f.LOGGER, f.MESSAGE)),
            **known,
            **dict.fromkeys((f.PID, f.THREAD, f.CALLER)),
        }
        self._clock = clock
        self._stamp = clock.stamp_event
        self._plain_names: set[str] = set()

    def format(self, record: logging.LogRecord) -> str:
        """The line as text, without its line end."""
        return self.render(record).decode()

    def render(self, record: logging.LogRecord) -> bytes:
        """The line as UTF-8, without its line end."""
        try:
            fields = self._fields(record)
            try:
                line = orjson.dumps(fields, default=text)
            except (TypeError, ValueError, RecursionError):
                line = orjson.dumps(json_value(fields, _NO_SECRETS_LEFT))
        except Exception as error:  # noqa: BLE001 - no record is ever lost
            line = self._last_resort(record, error)
        if AT in line:
            line = mask_url_passwords(line)
        if len(line) > f.MAX_LINE_BYTES:
            line = cut_line(orjson.loads(line), f.MAX_LINE_BYTES)
        return line

    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """What the line holds, in the order of the contract."""
        given, names = given_fields(record)
        line = self._head.copy()
        level = LEVELS.get((record.levelno, record.levelname))
        is_text = type(record.msg) is str or record.args
        if level and is_text:
            line[f.LEVEL] = level
            line[f.MESSAGE] = _message(record)
        else:
            given = {name: given[name] for name in names}
            line[f.LEVEL] = level or own_level(record, given)
            line[f.MESSAGE] = (
                _message(record) if is_text else self._stands_for_message(record, given)
            )
            names = [*given]
        line[f.LOGGER] = record.name if type(record.name) is str else text(record.name)
        line[f.PID] = record.process or os.getpid()
        line[f.THREAD] = record.threadName or threading.current_thread().name
        line[f.CALLER] = caller(record.pathname, record.lineno, record.funcName)
        span = span_ids()
        if not _ANY_ID.isdisjoint(names):
            _add_ids(line, span, given, names)
        elif span:
            line.update(span)
        if record.exc_info or record.exc_text or record.stack_info:
            self._add_exception(line, record)
        if names:
            self._add_given(line, given, names)
        # The time is taken last: an argument may log while it is formatted, and comes first.
        # The object `relativeCreated` belongs to this record alone, and to its copies.
        event = record.relativeCreated if type(record) is Record else None
        line[f.TIMESTAMP] = self._stamp(event, record.created)
        return line

    def _stands_for_message(self, record: logging.LogRecord, given: dict[Any, Any]) -> str:
        """The message of an object that was logged in place of a text.

        The fields of a mapping go to `given`; another object that holds secrets is JSON.
        """
        if isinstance(record.msg, Mapping):
            given.update(record.msg)
            return text(given.pop(f.MESSAGE, ""))
        shown = redacted_text(record.msg, self._secrets)
        return _message(record) if shown is None else shown

    def _add_given(
        self, line: dict[str, Any], given: Mapping[Any, Any], keys: Iterable[Any]
    ) -> None:
        """Add what context, `extra=` or a filter gave, under names that are free in the line."""
        walk = None
        for key in keys:
            name, value = key, given[key]
            if key not in self._plain_names or key in line:
                name, value = self._place(key, value, line)
            kind = type(value)
            if (
                kind in WRITTEN_AS_IS
                or (kind is float and value - value == 0)  # neither infinite nor NaN
                or is_plain(value, self._secrets)
            ):
                line[name] = value
            else:
                walk = walk or Walk(self._secrets)  # one for all, which are bounded together
                line[name] = walk.convert(value, 0)

    def _place(self, key: Any, value: Any, line: dict[str, Any]) -> tuple[str, Any]:
        """A name that is free in the line, and the value; a secret is replaced."""
        own = key_name(key)
        name = own + f.RESERVED_SUFFIX if own in f.RESERVED_FIELDS else own
        if own in self._secrets:
            if self._secrets.hides(own, value):
                value = f.REDACTED
        elif name == key:
            if len(self._plain_names) >= _MAX_CACHED:
                self._plain_names.clear()
            self._plain_names.add(name)
        while name in line:
            name += f.RESERVED_SUFFIX
        return name, value

    def _add_exception(self, rest: dict[str, Any], record: logging.LogRecord) -> None:
        exception, traceback = _exception(record)
        if exception is not None:
            rest[f.EXC_TYPE] = class_name(type(exception))
            rest[f.EXC_MESSAGE] = text(exception)
            rest[f.STACKTRACE] = self._stacktrace(exception, traceback)
        elif record.exc_text:  # a queue's handler made text of it; another formatter's is its own
            rest[f.STACKTRACE] = text(record.exc_text)
        if record.stack_info:
            rest[f.STACK] = text(record.stack_info)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - stdlib's name
        """The stack trace; `ei` is the type, the exception and its traceback."""
        return format_exception(ei[1], ei[2]).removesuffix("\n")

    def _stacktrace(self, exception: BaseException, traceback: TracebackType | None) -> str:
        try:
            info = (type(exception), exception, traceback)
            return clean(str(self.formatException(info)))
        except Exception as error:  # noqa: BLE001 - a stranger's exception may do anything
            return f"[no stacktrace: formatting it raised {type(error).__name__}]"

    def _last_resort(self, record: logging.LogRecord, error: Exception) -> bytes:
        """The required fields alone, from a record that has something wrong with it."""
        line = {
            **self._head,
            f.TIMESTAMP: self._clock.stamp_text(time.time()),
            f.LEVEL: level_at_or_below(getattr(record, "levelno", None)),
            f.LOGGER: text(getattr(record, "name", "")),
            f.MESSAGE: self._secrets.mask(text(getattr(record, "msg", ""))),
            f.PID: os.getpid(),
            f.THREAD: text(threading.current_thread().name),
            f.CALLER: text(getattr(record, "pathname", "")),
            "lokikit_error": f"{type(error).__name__}: {text(error)}",
        }
        return orjson.dumps(line)


def _message(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 - wrong arguments, or a __str__ that raises
        message = f"{text(record.msg)} {text(record.args)}"
    return COLOUR_CODE.sub("", message) if "\x1b" in message else message


def _add_ids(
    line: dict[str, Any], span: Mapping[str, str], given: Mapping[Any, Any], names: list[Any]
) -> None:
    """Add the ids, and take them out of `names`; those of an active span leave these in it."""
    for name in _IDS:
        if name in span:
            line[name] = span[name]
        elif name in names:
            names.remove(name)
            if (value := given[name]) not in _UNKNOWN:  # an id is empty where a header is missing
                line[name] = value if type(value) is str else text(value)


def _exception(
    record: logging.LogRecord,
) -> tuple[BaseException | None, TracebackType | None]:
    """The exception and its traceback, in each form that a record may hold them in."""
    info: Any = record.exc_info
    if info is True:
        info = sys.exc_info()
    _, value, traceback = info if isinstance(info, tuple) and len(info) == _INFO else (0, info, 0)
    if not isinstance(value, BaseException):
        return None, None
    # An exception that was pickled, or never raised, has no traceback of its own.
    return value, traceback if isinstance(traceback, TracebackType) else value.__traceback__
