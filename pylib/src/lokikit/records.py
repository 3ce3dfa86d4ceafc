"""Log records made faster than by the stdlib, whose `extra=` may hold any name."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePath
from typing import Any

from lokikit.context import bound_fields
from lokikit.fields import RESERVED_SUFFIX

_SET_BY_FORMATTERS = frozenset({"message", "asctime"})
_TASK_NAME = "taskName"  # from Python 3.12 on
_first = logging.makeLogRecord({})
STANDARD_ATTRIBUTES = frozenset(vars(_first)) | _SET_BY_FORMATTERS | {_TASK_NAME}
"""What every record has, or gets from a formatter; all else was added by somebody."""
_STANDARD_COUNT = len(vars(_first))
_HAS_TASK_NAMES = _TASK_NAME in vars(_first)
_START_S = _first.created - _first.relativeCreated / 1000
"""When `logging` was imported, from where `relativeCreated` counts."""
_STDLIB_MAKE_RECORD = logging.Logger.makeRecord
_NOTHING: dict[str, Any] = {}
_NO_MAPPINGS = frozenset({str, int, float})


class Record(logging.LogRecord):
    """A record that remembers what it was given beside its own attributes."""

    __slots__ = ("given", "rendered")

    given: dict[str, Any]
    rendered: tuple[int, bytes] | None
    """The number of the formatter that made a line of it, and the line: two handlers of one
    formatter write the same."""


def forget_rendered(record: logging.LogRecord) -> None:
    """Have the record's line made anew: a filter may have changed it."""
    if type(record) is Record:
        record.rendered = None


def added_attributes(record: logging.LogRecord) -> dict[Any, Any]:
    """What context, `extra=` or a filter added to the record, by name."""
    attributes = record.__dict__
    if type(record) is Record and len(attributes) == _STANDARD_COUNT + len(record.given):
        # The values are read anew, for a filter may have changed one.
        return {name: attributes[name] for name in record.given if name in attributes}
    return {name: value for name, value in attributes.items() if name not in STANDARD_ATTRIBUTES}


def install_records() -> None:
    """Have every logger make a `Record`; twice is once.

    `logger.info(..., extra={"name": 1})` then logs `name_`, where the stdlib raises `KeyError`
    into the caller, and what is bound in context stays with the record on its way through
    queues and threads; otherwise its attributes are those of a stdlib record. The method is
    replaced on `logging.Logger` itself, for the loggers of libraries exist before anything
    could be configured. Where something else has replaced it before, or installed a record
    factory, that one goes on making the records.
    """
    if logging.Logger.makeRecord is _STDLIB_MAKE_RECORD:
        logging.Logger.makeRecord = _make_record  # type: ignore[method-assign]


def _make_record(  # noqa: PLR0913, PLR0917 - the signature of Logger.makeRecord
    self: logging.Logger,  # noqa: ARG001 - likewise
    name: str,
    level: int,
    fn: str,
    lno: int,
    msg: object,
    args: Any,
    exc_info: Any,
    func: str | None = None,
    extra: Any = None,
    sinfo: str | None = None,
) -> logging.LogRecord:
    factory = logging.getLogRecordFactory()
    if factory is not logging.LogRecord:
        record = factory(name, level, fn, lno, msg, args, exc_info, func, sinfo)
        record.__dict__.update(_free_names(extra, record.__dict__) if extra else _NOTHING)
        return record
    if bound := bound_fields():
        extra = {**bound, **_as_dict(extra)}
    if args and len(args) == 1 and _is_mapping(args[0]):
        args = args[0]
    now_s = time.time()
    filename, module = _file_and_module(fn)
    attributes = {
        "name": name,
        "msg": msg,
        "args": args,
        "levelname": logging.getLevelName(level),
        "levelno": level,
        "pathname": fn,
        "filename": filename,
        "module": module,
        "exc_info": exc_info,
        "exc_text": None,
        "stack_info": sinfo,
        "lineno": lno,
        "funcName": func,
        "created": now_s,
        "msecs": now_s * 1000 // 1 % 1000,
        "relativeCreated": (now_s - _START_S) * 1000,
        "thread": threading.get_ident(),
        "threadName": threading.current_thread().name,
        "processName": _process_name() if "multiprocessing" in sys.modules else "MainProcess",
        "process": os.getpid(),
    }
    if _HAS_TASK_NAMES:
        attributes[_TASK_NAME] = _task_name() if "asyncio" in sys.modules else None
    made = Record.__new__(Record)
    if not extra:
        made.given = _NOTHING
    else:
        usual = type(extra) is dict and STANDARD_ATTRIBUTES.isdisjoint(extra)
        made.given = extra if usual else _free_names(extra, attributes)
        attributes.update(made.given)
    made.rendered = None
    made.__dict__ = attributes
    return made


def _is_mapping(value: Any) -> bool:
    # The abstract class takes long to ask, and nearly always says no.
    return type(value) not in _NO_MAPPINGS and isinstance(value, Mapping) and bool(value)


@lru_cache(maxsize=4096)
def _file_and_module(path: str) -> tuple[str, str]:
    return PurePath(path).name, PurePath(path).stem


def _process_name() -> str:
    try:
        return str(sys.modules["multiprocessing"].current_process().name)
    except Exception:  # noqa: BLE001 - multiprocessing may be half imported
        return "MainProcess"


def _task_name() -> str | None:
    try:
        return str(sys.modules["asyncio"].current_task().get_name())
    except Exception:  # noqa: BLE001 - no loop runs here, or asyncio is half imported
        return None


def _as_dict(extra: Any) -> dict[str, Any]:
    fields: dict[str, Any] = extra if isinstance(extra, dict) else {"extra": extra}
    return fields if extra else _NOTHING


def _free_names(extra: Any, taken: dict[str, Any]) -> dict[str, Any]:
    """The extra fields, renamed where a record has such an attribute itself."""
    given: dict[str, Any] = {}
    for key, value in _as_dict(extra).items():
        name = key
        while name in taken or name in given or name in _SET_BY_FORMATTERS:
            name = f"{name}{RESERVED_SUFFIX}"
        given[name] = value
    return given
