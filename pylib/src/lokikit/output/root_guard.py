"""Keeps the kit's handlers on the root logger when other code configures logging after the set-up.

The set-up adopts earlier handlers. Afterwards an application factory adds console handlers,
`create_engine(echo=True)` adds another, a migration loads its own file of `logging.config`: without
this guard their lines are printed twice, or the kit's lines no more.
"""

from __future__ import annotations

import logging
import logging.config
import logging.handlers
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from types import FrameType
from typing import Any
from weakref import WeakSet

from lokikit.output.alarm_handlers import is_alarm, is_own_line
from lokikit.output.console_handlers import is_console
from lokikit.output.stdout_handler import gets_our_lines, is_ours

_root = logging.getLogger()
_lock: threading.RLock = getattr(logging, "_lock", None) or threading.RLock()
"""The lock of `logging`, under which handlers are added and removed."""
_MARK = "_asks_lokikit"
_CONFIGURATIONS = frozenset({"logging", "logging.config"})
"""Modules that remove handlers as a part of a configuration."""


class _LastResort(logging.Handler):
    """Handles records without a handler, at any level; replaces `logging.lastResort`.

    Args:
        former: the former last resort, used while the kit is not set up.
    """

    def __init__(self, former: logging.Handler | None) -> None:
        super().__init__()
        self.former = former

    def handle(self, record: logging.LogRecord) -> bool:
        if guard.ours:
            return guard.hand_over(record)
        if self.former is None or record.levelno < self.former.level:
            return False
        return bool(self.former.handle(record))


class RootGuard:
    """The handlers that must be on the root logger, and its handlers at the last check.

    Attributes:
        ours: handlers of the set-up; empty before it, and after they were removed by name.
        on_root: handlers of the root logger at the last check.
    """

    def __init__(self) -> None:
        self.ours: tuple[logging.Handler, ...] = ()
        self.on_root: list[logging.Handler] = []
        self._elsewhere: WeakSet[logging.Handler] = WeakSet()
        self._level_before = logging.NOTSET
        self._is_of_configuration = False

    def keep(self, handlers: Iterable[logging.Handler]) -> None:
        """Keep these handlers on the root logger from now on."""
        self.ours = tuple(handlers)
        self._is_of_configuration = True
        self.on_root = []
        _watch_logging()
        self.look_at(_root)

    def let_go(self, handler: logging.Handler) -> None:
        """Stop guarding a handler that was removed by name, which is intended."""
        self.ours = tuple(one for one in self.ours if one is not handler)

    def hand_over(self, record: logging.LogRecord) -> bool:
        """Pass a record to the kit's handlers, and to handlers that capture its lines in tests."""
        ours = [one for one in _root.handlers if gets_our_lines(one) and not _is_relay(one)]
        for handler in ours:
            if record.levelno >= handler.level:
                handler.handle(record)
        return bool(self.ours)

    def keeps_open(self, handler: logging.Handler | None) -> bool:
        """Return True for handlers that a configuration must not close: ours and former ones."""
        return handler in self.ours or getattr(handler, "is_retired", False)

    def look_at(self, logger: logging.Logger) -> None:
        """Correct the handlers of the root and of this logger."""
        if not _lock.acquire(blocking=False):
            return  # another thread configures logging: the next record checks again
        try:
            if self.on_root != _root.handlers:
                self._look_at_root()
            if logger is not _root and not self._elsewhere.issuperset(logger.handlers):
                self._look_below(logger)
        except Exception:  # noqa: BLE001 - a foreign handler must not raise into the application
            return
        finally:
            _lock.release()

    def _look_at_root(self) -> None:
        staying = [one for one in _root.handlers if not self.refuses(_root, one)]
        missing = [one for one in self.ours if one not in staying]
        if missing or len(staying) < len(_root.handlers):
            # A new list, here and below, because two loggers may share a list.
            _root.handlers = [*staying, *missing]
        self.on_root = list(_root.handlers)

    def _look_below(self, logger: logging.Logger) -> None:
        staying = self._staying(logger.handlers)
        if len(staying) < len(logger.handlers):
            logger.handlers = staying
            self.stand_in(logger)

    def look_behind(self, listener: logging.handlers.QueueListener) -> None:
        """Put a relay in place of the console handlers behind a queue."""
        from lokikit.output.relay import QueueRelay  # noqa: PLC0415 - it needs the lines, which need this

        if not self._elsewhere.issuperset(listener.handlers):
            staying = self._staying(listener.handlers)
            if len(staying) < len(listener.handlers):
                listener.handlers = (*staying, QueueRelay())

    def _staying(self, handlers: Iterable[logging.Handler]) -> list[logging.Handler]:
        """Return relays and handlers that write elsewhere, and remember the latter."""
        staying = [one for one in handlers if not self.belongs_to_root(one)]
        self._elsewhere.update(staying)
        return staying

    def belongs_to_root(self, handler: logging.Handler) -> bool:
        """Return True when a relay may stand in place of the handler of a logger below the root."""
        return not _is_relay(handler) and (is_ours(handler) or is_console(handler))

    def stand_in(self, logger: logging.Logger) -> None:
        """Put a relay on a logger that has none."""
        from lokikit.output.relay import Relay  # noqa: PLC0415 - it needs the lines, which need this

        if not any(map(_is_relay, logger.handlers)):
            logger.addHandler(Relay())

    def refuses(self, logger: logging.Logger, handler: logging.Handler) -> bool:
        """Return True for a new handler that would print the kit's lines again; add a relay."""
        if logger is _root:
            return _is_relay(handler) or (not is_ours(handler) and is_console(handler))
        if not self.belongs_to_root(handler):
            return False
        self.stand_in(logger)
        return True

    def begin_configuration(self) -> None:
        """Record the beginning of a configuration of `logging.config`."""
        self._level_before = _root.level
        self._is_of_configuration = False

    def holds(self, handler: logging.Handler, caller: FrameType) -> bool:
        """Return True for a handler that stays although the caller removes it from the root."""
        if caller.f_globals.get("__name__") not in _CONFIGURATIONS:
            self.let_go(handler)
            return False
        if _is_configuration(caller) and not self._is_of_configuration:
            # A tool such as a migration sets the level for its own lines.
            _root.setLevel(min(_root.level, self._level_before))
        return True

    def spares(self, handler: logging.Handler, caller: FrameType) -> bool:
        """Return True when a configuration with the kit keeps an application handler at the root.

        The set-up leaves error trackers, mail and files too. Handlers of an earlier configuration
        have a name, and are created again.
        """
        is_ours_to_configure = self._is_of_configuration and _is_configuration(caller)
        return is_ours_to_configure and handler.name is None and not self.belongs_to_root(handler)


guard = RootGuard()
"""The guard of this process."""


def _is_configuration(caller: FrameType) -> bool:
    return caller.f_globals.get("__name__") == "logging.config"


def _is_relay(handler: logging.Handler) -> bool:
    return getattr(handler, "relays_to_ours", False)


def is_forced(handler: logging.Handler, caller: FrameType) -> bool:
    """Return True when `basicConfig(force=True)` closes a handler of the set-up, which stays."""
    return handler in guard.ours and caller.f_code is logging.basicConfig.__code__


def _watch_logging() -> None:
    """Make `logging` call the guard; a second call changes nothing."""
    if not isinstance(logging.lastResort, _LastResort):
        logging.lastResort = _LastResort(logging.lastResort)
    _wrap(logging.Logger, "addHandler", _adding)
    _wrap(logging.Logger, "removeHandler", _removing)
    _wrap(logging.handlers.QueueListener, "handle", _listening)
    # These two, because a migration may have imported `fileConfig` before the set-up.
    _wrap(logging.config, "_clearExistingHandlers", _clearing)
    _wrap(logging.config, "_handle_existing_loggers", _enabling)


def _wrap(owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
    function = getattr(owner, name, None)
    if function is not None and not hasattr(function, _MARK):
        wrapped = wraps(function)(wrapper(function))
        setattr(wrapped, _MARK, True)
        setattr(owner, name, wrapped)


def _adding(add: Callable[..., None]) -> Callable[..., None]:
    def add_handler(self: logging.Logger, hdlr: logging.Handler) -> None:
        if not guard.ours or not guard.refuses(self, hdlr):
            add(self, hdlr)

    return add_handler


def _removing(remove: Callable[..., None]) -> Callable[..., None]:
    def remove_handler(self: logging.Logger, hdlr: logging.Handler) -> None:
        caller = sys._getframe(1)  # noqa: SLF001 - the caller decides
        held = self is _root and hdlr in guard.ours and guard.holds(hdlr, caller)
        if not held and not (self is _root and guard.spares(hdlr, caller)):
            remove(self, hdlr)

    return remove_handler


def _listening(handle: Callable[..., None]) -> Callable[..., None]:
    def handle_queued(self: logging.handlers.QueueListener, record: logging.LogRecord) -> None:
        if guard.ours:
            with suppress(Exception):  # a foreign handler must not end the thread of the queue
                guard.look_behind(self)
        if is_own_line(record) and any(map(is_alarm, self.handlers)):
            _pass_alarms_by(self, record)
        else:
            handle(self, record)

    return handle_queued


def _pass_alarms_by(listener: logging.handlers.QueueListener, record: logging.LogRecord) -> None:
    """Pass a record to the handlers behind a queue, except mail and error trackers."""
    prepared = listener.prepare(record)
    for handler in listener.handlers:
        is_low = listener.respect_handler_level and record.levelno < handler.level
        if not is_low and not is_alarm(handler):
            handler.handle(prepared)


def _clearing(clear: Callable[[], None]) -> Callable[[], None]:
    """Keep the kit's handlers open and known to the exit when a configuration closes all."""

    def clear_existing_handlers() -> None:
        guard.begin_configuration()
        known: list[Any] = getattr(logging, "_handlerList", [])
        references = [one for one in known if guard.keeps_open(one())]
        known[:] = [one for one in known if one not in references]
        try:
            clear()
        finally:
            known.extend(references)

    return clear_existing_handlers


def _enabling(handle: Callable[..., None]) -> Callable[..., None]:
    """Keep the state of loggers that a configuration does not name."""

    def handle_existing_loggers(existing: Iterable[str], *arguments: Any) -> None:
        loggers = [logging.getLogger(name) for name in existing]
        before = [(one, one.disabled, one.level) for one in loggers]
        handle(existing, *arguments)
        for logger, disabled, level in before if guard.ours else ():
            logger.disabled = disabled and logger.disabled
            logger.setLevel(level)

    return handle_existing_loggers
