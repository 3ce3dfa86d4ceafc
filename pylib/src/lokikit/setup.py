"""`setup_json_logging`: one call, and every logger of the process ends in the contract."""

from __future__ import annotations

import logging
import os
import sys
from typing import IO, TYPE_CHECKING, Any

from lokikit.console import ConsoleFormatter
from lokikit.formatter import JsonFormatter
from lokikit.records import install_records
from lokikit.settings import default_level, parse_format, parse_level, read_settings
from lokikit.stdout import StdoutHandler, file_descriptor
from lokikit.uncaught import capture_uncaught

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONSOLE_DESCRIPTORS = (1, 2)


def setup_json_logging(  # noqa: PLR0913 - every argument but the first is by keyword
    service: str | None = None,
    *,
    level: str | int | None = None,
    env: str | None = None,
    version: str | None = None,
    log_format: str | None = None,
    redact: Iterable[str] = (),
    stream: IO[Any] | None = None,
) -> logging.Logger:
    """The root logger, set up to write one line of JSON per event on stdout.

    What is not given comes from the environment (see `read_settings`). Warnings and uncaught
    exceptions become lines too. Console handlers that were there before, on the root or on
    loggers of libraries, are taken off, so that each event appears once however often this is
    called; handlers that write elsewhere (files, error trackers) stay.

    Args:
        service: name of the service: `SERVICE_NAME` or `OTEL_SERVICE_NAME`.
        level: threshold of the root logger, name or number: `LOG_LEVEL`; without it `debug`
            where `env` is `dev`, otherwise `info`.
        env: where it runs: `ENV`.
        version: version of the service: `SERVICE_VERSION`.
        log_format: `json`, `console` (text for a person) or `auto` (console on a terminal):
            `LOG_FORMAT`.
        redact: further words that mark a key as secret: `LOG_REDACT`, separated by commas.
        stream: where to write, `sys.stdout` unless given.

    Raises:
        SettingsError: an argument or variable has a value that means nothing.
    """
    settings = read_settings()
    threshold = settings.level if level is None else parse_level(level, "level")
    if threshold is None:
        threshold = default_level(env or settings.env)
    handler = StdoutHandler(stream)
    chosen = settings.log_format if log_format is None else parse_format(log_format, "log_format")
    handler.setFormatter(
        _formatter(chosen, handler.stream, service=service, env=env, version=version, redact=redact)
    )
    _take_in_existing_loggers()
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(threshold)
    install_records()
    capture_uncaught()
    return root


def _formatter(chosen: str, stream: IO[Any] | None, **identity: Any) -> JsonFormatter:
    on_terminal = stream is not None and not stream.closed and stream.isatty()
    if chosen == "console" or (chosen == "auto" and on_terminal):
        colour = on_terminal and not os.environ.get("NO_COLOR")
        return ConsoleFormatter(colour=colour, **identity)
    return JsonFormatter(**identity)


def _take_in_existing_loggers() -> None:
    """Take console handlers off every logger, and let what they got reach the root."""
    loggers = [*logging.Logger.manager.loggerDict.values(), logging.getLogger()]
    for logger in loggers:
        if not isinstance(logger, logging.Logger):
            continue
        console = [handler for handler in logger.handlers if _is_console(handler)]
        for handler in console:
            logger.removeHandler(handler)
        if console:
            logger.propagate = True


def _is_console(handler: logging.Handler) -> bool:
    if isinstance(handler, StdoutHandler):
        return True
    if not isinstance(handler, logging.StreamHandler):
        return False
    if any(handler.stream is console for console in (sys.stdout, sys.stderr)):
        return True
    # Flask's own handler writes to a proxy of stderr.
    return file_descriptor(handler.stream) in _CONSOLE_DESCRIPTORS
