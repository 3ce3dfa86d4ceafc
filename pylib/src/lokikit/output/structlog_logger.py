"""The logger that structlog uses with the kit; imported only if structlog is installed."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, MutableMapping
from types import FrameType
from typing import Any, NoReturn

import structlog
from structlog._frames import _find_first_app_frame_and_name

from lokikit.fields import RESERVED_SUFFIX

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "exception": logging.ERROR,
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}
_NO_EVENT = ""
_LEVEL_KEY = "_lokikit_level"
"""Carries a level between two of the names to the processors."""
_OWN_MODULES = ["logging", __name__]


def _level_method(name: str) -> Callable[..., None]:
    def log(self: StructlogLogger, /, *args: Any, **fields: Any) -> None:
        self._log_event(name, args, fields)

    log.__name__ = name
    return log


class StructlogLogger(structlog.stdlib.BoundLogger):
    """structlog's logger for the standard library; its methods never raise."""

    debug = _level_method("debug")
    info = _level_method("info")
    warning = warn = _level_method("warning")
    error = _level_method("error")
    critical = fatal = _level_method("critical")

    def exception(self, /, *args: Any, **fields: Any) -> None:
        """Log at ERROR with the exception that is being handled."""
        self._log_event("exception", args, {"exc_info": True, **fields})

    def log(  # type: ignore[override] # it takes fields of any name
        self, level: int | str, /, *args: Any, **fields: Any
    ) -> None:
        """Log at a level: a name, or a number, which may lie between two names."""
        number = _LEVELS.get(level.lower(), level) if isinstance(level, str) else level
        if not isinstance(number, int):
            number = logging.INFO
        name = logging.getLevelName(number).lower()
        if _LEVELS.get(name) != number:
            name, fields = "info", {**fields, _LEVEL_KEY: number}
        self._log_event(name, args, fields)

    def _log_event(self, name: str, args: tuple[Any, ...], fields: dict[str, Any]) -> None:
        """Run the processors on an event; keyword arguments of any name are its fields."""
        if args and "event" in fields:
            fields[f"event{RESERVED_SUFFIX}"] = fields.pop("event")
        event = args[0] if args else fields.pop("event", _NO_EVENT)
        if len(args) > 1:
            fields["positional_args"] = args[1:]
        try:
            # `None` is an event here, as it is a message of the standard library.
            self._process_event(name, "None" if event is None else event, fields)
        except structlog.DropEvent:
            return


def drop_below_level(
    logger: logging.Logger, method: str, event_dict: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop events below the level of the standard library's logger; a processor.

    Raises:
        DropEvent: the event is dropped.
    """
    if logger.isEnabledFor(_level(method, event_dict)):
        return event_dict
    raise structlog.DropEvent


def write_record(
    logger: logging.Logger, method: str, event_dict: MutableMapping[str, Any]
) -> NoReturn:
    """Pass the event as a record to the standard library's logger; the last processor.

    It creates the record itself, because loggers from before the configuration of structlog would
    take structlog's own frames for the caller.

    Raises:
        DropEvent: always; the event has been written.
    """
    level = _level(method, event_dict)
    event_dict.pop(_LEVEL_KEY, None)
    event, args = event_dict.pop("event", _NO_EVENT), event_dict.pop("positional_args", ())
    exc_info = _exception(event_dict.pop("exc_info", None))
    frame = _caller(event_dict.pop("stacklevel", 1))
    stack = _stack(frame) if event_dict.pop("stack_info", False) else None
    record = logger.makeRecord(
        logger.name,
        level,
        frame.f_code.co_filename,
        frame.f_lineno,
        event,
        args if isinstance(args, tuple) else (args,),
        exc_info,
        frame.f_code.co_name,
        event_dict,
        stack,
    )
    logger.handle(record)
    raise structlog.DropEvent


def _level(method: str, event_dict: MutableMapping[str, Any]) -> int:
    number: int = event_dict.get(_LEVEL_KEY) or _LEVELS.get(method, logging.INFO)
    return number


def _exception(exc_info: Any) -> Any:
    if isinstance(exc_info, BaseException):
        return type(exc_info), exc_info, exc_info.__traceback__
    if isinstance(exc_info, tuple) or not exc_info:
        return exc_info or None
    return sys.exc_info()


def _caller(stacklevel: Any) -> FrameType:
    frame, _ = _find_first_app_frame_and_name(_OWN_MODULES)
    further = stacklevel - 1 if isinstance(stacklevel, int) else 0
    while further > 0 and frame.f_back is not None:
        frame, further = frame.f_back, further - 1
    return frame


def _stack(frame: FrameType) -> str:
    return "Stack (most recent call last):\n" + "".join(traceback.format_stack(frame)).rstrip("\n")
