"""Log records that hold any `extra=` and what was bound in the context of the call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from lokikit.fields import RESERVED_SUFFIX
from lokikit.output.context import bound_fields
from lokikit.output.root_guard import guard

_SET_BY_FORMATTERS = frozenset({"message", "asctime"})
_TASK_NAME = "taskName"  # from Python 3.12 on
_BARE_ATTRIBUTES = [*vars(logging.makeLogRecord({}))]
_BARE_COUNT = len(_BARE_ATTRIBUTES)
STANDARD_ATTRIBUTES = frozenset({*_BARE_ATTRIBUTES, *_SET_BY_FORMATTERS, _TASK_NAME})
"""What every record has, or gets from a formatter; all else was added by somebody."""
_MARK = "_makes_lokikit_records"
_root = logging.getLogger()


class Record(logging.LogRecord):
    """A record that has the fields bound in the context of its call among its attributes."""


def given_fields(record: logging.LogRecord) -> tuple[Mapping[Any, Any], list[Any]]:
    """Where the fields stand that context, `extra=` or a filter added; their names in order.

    A record that no logger of this process made has no bound fields: those of the current context
    are taken.
    """
    names = [*record.__dict__]
    if names[:_BARE_COUNT] == _BARE_ATTRIBUTES:  # nearly always these stand first
        del names[:_BARE_COUNT]
    if not STANDARD_ATTRIBUTES.isdisjoint(names):
        names = [name for name in names if name not in STANDARD_ATTRIBUTES]
    if type(record) is not Record and (bound := bound_fields()):
        given = {**bound, **{name: record.__dict__[name] for name in names}}
        return given, [*given]
    return record.__dict__, names


def install_records() -> None:
    """Have every logger make a `Record`; a second call changes nothing.

    `logger.info(..., extra={"name": 1})` then logs `name_`, where the stdlib raises `KeyError`
    into the caller, and what is bound in context stays with the record on its way through
    queues and threads. The method of `logging.Logger` is wrapped, for the loggers of libraries
    exist before anything could be configured. Whatever made the records before still makes them:
    the stdlib with its record factory, or a tracer that replaced the method.
    """
    if not hasattr(logging.Logger.makeRecord, _MARK):
        logging.Logger.makeRecord = _with_fields(  # type: ignore[method-assign]
            logging.Logger.makeRecord
        )


def _with_fields(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """`make` without `extra`, which is added here, under free names, behind the bound fields."""

    @wraps(make)
    def make_record(  # noqa: PLR0913, PLR0917 - the signature of Logger.makeRecord
        self: logging.Logger,
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
        # Here rather than in a method of the guard: each record passes.
        if guard.ours and (
            guard.on_root != _root.handlers or (self.handlers and self is not _root)
        ):
            guard.look_at(self)
        record = make(self, name, level, fn, lno, msg, args, exc_info, func, None, sinfo)
        if type(record) is logging.LogRecord:
            record.__class__ = Record
        if bound := bound_fields():
            extra = {**bound, **_as_mapping(extra)}
        if extra:
            extra = _as_mapping(extra)
            if STANDARD_ATTRIBUTES.isdisjoint(extra):
                record.__dict__.update(extra)
            else:
                _add_renamed(record.__dict__, extra)
        return record

    setattr(make_record, _MARK, True)
    return make_record


def _as_mapping(extra: Any) -> Mapping[str, Any]:
    # The type is asked first: an abstract class takes ten times as long.
    if type(extra) is dict or isinstance(extra, Mapping):
        return extra
    return {"extra": extra} if extra else {}


def _add_renamed(attributes: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Add the fields, each renamed where a record has an attribute of that name itself."""
    added: set[str] = set()
    for key, value in fields.items():
        name = key
        while name in STANDARD_ATTRIBUTES or name in added:
            name = f"{name}{RESERVED_SUFFIX}"
        added.add(name)
        attributes[name] = value
