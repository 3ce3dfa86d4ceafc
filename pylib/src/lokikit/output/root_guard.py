"""Our handlers stay on the root logger, whatever configures logging after the set-up.

What came before is taken in by the set-up. Afterwards an application factory adds console handlers,
`create_engine(echo=True)` another, a migration loads its own file of `logging.config`: without this
guard these lines are printed twice, or ours no more.
"""

from __future__ import annotations

import logging
import logging.config
import logging.handlers
import sys
import threading
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from lokikit.output.alarm_handlers import is_alarm, is_own_line
from lokikit.output.console_handlers import is_console
from lokikit.output.stdout_handler import gets_our_lines, is_ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

_root = logging.getLogger()
_lock: threading.RLock = getattr(logging, "_lock", None) or threading.RLock()
"""That of `logging`, under which handlers are added and taken off."""
_MARK = "_asks_lokikit"
_CONFIGURATIONS = frozenset({"logging", "logging.config"})
"""Modules that take handlers off because they configure, not because somebody wants them off."""


class _LastResort(logging.Handler):
    """Takes what no handler gets, as the standard library's does, at any level.

    Args:
        former: has it where nothing of ours is set up.
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
    """Which handlers are to be on the root logger, and what was seen there last.

    Attributes:
        ours: the handlers of the set-up; none before it, and once somebody has taken them off.
        on_root: the handlers of the root logger as they were looked at last.
    """

    def __init__(self) -> None:
        self.ours: tuple[logging.Handler, ...] = ()
        self.on_root: list[logging.Handler] = []
        self._elsewhere: WeakSet[logging.Handler] = WeakSet()
        self._level_before = logging.NOTSET
        self._is_of_configuration = False

    def keep(self, handlers: Iterable[logging.Handler]) -> None:
        """Have these handlers stay on the root logger from now on."""
        self.ours = tuple(handlers)
        self._is_of_configuration = True
        self.on_root = []
        _watch_logging()
        self.look_at(_root)

    def let_go(self, handler: logging.Handler) -> None:
        """Watch a handler no more: whoever takes it off by name wants it off."""
        self.ours = tuple(one for one in self.ours if one is not handler)

    def hand_over(self, record: logging.LogRecord) -> bool:
        """Give a record to our handlers, and to what captures their lines for a test."""
        ours = [one for one in _root.handlers if gets_our_lines(one) and not _is_relay(one)]
        for handler in ours:
            if record.levelno >= handler.level:
                handler.handle(record)
        return bool(self.ours)

    def keeps_open(self, handler: logging.Handler | None) -> bool:
        """Return True for handlers that a configuration must not close: ours and former ones."""
        return handler in self.ours or getattr(handler, "is_retired", False)

    def look_at(self, logger: logging.Logger) -> None:
        """Put right what was done to the lists of handlers of the root and of this logger."""
        if not _lock.acquire(blocking=False):
            return  # a configuration is at work in another thread: the next record looks again
        try:
            if self.on_root != _root.handlers:
                self._look_at_root()
            if logger is not _root and not self._elsewhere.issuperset(logger.handlers):
                self._look_below(logger)
        except Exception:  # noqa: BLE001 - a stranger's handler never raises into the application
            return
        finally:
            _lock.release()

    def _look_at_root(self) -> None:
        staying = [one for one in _root.handlers if not self.refuses(_root, one)]
        missing = [one for one in self.ours if one not in staying]
        if missing or len(staying) < len(_root.handlers):
            # A new list, here and below, for two loggers may share a list.
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
        """Those that write elsewhere, which are known from now on, and relays."""
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
        """Return True for an added handler that would print our lines again; put it right."""
        if logger is _root:
            return _is_relay(handler) or (not is_ours(handler) and is_console(handler))
        if not self.belongs_to_root(handler):
            return False
        self.stand_in(logger)
        return True

    def begin_configuration(self) -> None:
        """A configuration of `logging.config` begins."""
        self._level_before = _root.level
        self._is_of_configuration = False

    def holds(self, handler: logging.Handler, caller: FrameType) -> bool:
        """Return True for a handler that stays although the caller takes it off the root logger."""
        if caller.f_globals.get("__name__") not in _CONFIGURATIONS:
            self.let_go(handler)
            return False
        if _is_configuration(caller) and not self._is_of_configuration:
            # Of a tool, as a migration, whose level is that of its own lines.
            _root.setLevel(min(_root.level, self._level_before))
        return True

    def spares(self, handler: logging.Handler, caller: FrameType) -> bool:
        """Return True when a configuration with ours leaves an application's handler at the root.

        As the set-up does: an error tracker, mail or a file. What a configuration made before has
        its name, and is made anew.
        """
        is_ours_to_configure = self._is_of_configuration and _is_configuration(caller)
        return is_ours_to_configure and handler.name is None and not self.belongs_to_root(handler)


guard = RootGuard()
"""Of this process."""


def _is_configuration(caller: FrameType) -> bool:
    return caller.f_globals.get("__name__") == "logging.config"


def _is_relay(handler: logging.Handler) -> bool:
    return getattr(handler, "relays_to_ours", False)


def is_forced(handler: logging.Handler, caller: FrameType) -> bool:
    """Return True when `basicConfig(force=True)` closes a handler of the set-up, which stays."""
    return handler in guard.ours and caller.f_code is logging.basicConfig.__code__


def _watch_logging() -> None:
    """Have `logging` ask the guard; a second call changes nothing."""
    if not isinstance(logging.lastResort, _LastResort):
        logging.lastResort = _LastResort(logging.lastResort)
    _wrap(logging.Logger, "addHandler", _adding)
    _wrap(logging.Logger, "removeHandler", _removing)
    _wrap(logging.handlers.QueueListener, "handle", _listening)
    # By these two, for a migration has imported `fileConfig` before anything was set up.
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
        caller = sys._getframe(1)  # noqa: SLF001 - who takes it off
        held = self is _root and hdlr in guard.ours and guard.holds(hdlr, caller)
        if not held and not (self is _root and guard.spares(hdlr, caller)):
            remove(self, hdlr)

    return remove_handler


def _listening(handle: Callable[..., None]) -> Callable[..., None]:
    def handle_queued(self: logging.handlers.QueueListener, record: logging.LogRecord) -> None:
        if guard.ours:
            with suppress(Exception):  # a stranger's handler never ends the thread of the queue
                guard.look_behind(self)
        if is_own_line(record) and any(map(is_alarm, self.handlers)):
            _pass_alarms_by(self, record)
        else:
            handle(self, record)

    return handle_queued


def _pass_alarms_by(listener: logging.handlers.QueueListener, record: logging.LogRecord) -> None:
    """Hand a record to the handlers behind a queue, but mail and error trackers."""
    prepared = listener.prepare(record)
    for handler in listener.handlers:
        is_low = listener.respect_handler_level and record.levelno < handler.level
        if not is_low and not is_alarm(handler):
            handler.handle(prepared)


def _clearing(clear: Callable[[], None]) -> Callable[[], None]:
    """Keep ours open and known to the exit, where a configuration closes all handlers."""

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
    """Have the loggers that a configuration does not name go on as they were."""

    def handle_existing_loggers(existing: Iterable[str], *arguments: Any) -> None:
        loggers = [logging.getLogger(name) for name in existing]
        before = [(one, one.disabled, one.level) for one in loggers]
        handle(existing, *arguments)
        for logger, disabled, level in before if guard.ours else ():
            logger.disabled = disabled and logger.disabled
            logger.setLevel(level)

    return handle_existing_loggers
