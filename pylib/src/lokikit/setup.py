"""`setup_json_logging`: sets up all loggers of the process to write lines of the contract."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any, cast

from lokikit.delivery.address import read_address
from lokikit.errors import SettingsError
from lokikit.http_requests.access_logs import take_in_access_lines
from lokikit.notices import to_stderr
from lokikit.output.console_formatter import ConsoleFormatter
from lokikit.output.console_handlers import is_console
from lokikit.output.json_formatter import JsonFormatter
from lokikit.output.library_levels import set_levels
from lokikit.output.log_record import install_records
from lokikit.output.root_guard import guard
from lokikit.output.stdout_handler import StdoutHandler, is_ours
from lokikit.output.streams import is_terminal
from lokikit.output.uncaught import capture_uncaught
from lokikit.settings import (
    Settings,
    default_level,
    parse_format,
    parse_level,
    read_loki_access,
    read_settings,
    words_of,
)
from lokikit.tasks.rocketry import take_in_rocketry

if TYPE_CHECKING:
    from lokikit.push.handler import LokiHandler

_NOT_PUSHED = (
    "is for lokikit's commands, so this service pushes nothing there. If it has no "
    "agent and is to push, set LOKI_PUSH_URL; push=False says that it is not."
)
_STILL_PUSHED = (
    "makes this service push because LOKI_SPOOL_DIR or LOKI_DURABLE is set. "
    "Set LOKI_PUSH_URL, for a later version will push by that name alone."
)
_reported: set[str] = set()


def setup_json_logging(  # noqa: PLR0913 - every argument but the first is by keyword
    service: str | None = None,
    *,
    level: str | int | None = None,
    env: str | None = None,
    version: str | None = None,
    log_format: str | None = None,
    redact: str | Iterable[str] = (),
    stream: IO[Any] | None = None,
    push: bool | str | None = None,
) -> logging.Logger:
    """Set up the root logger to write one line of JSON per event on stdout, and return it.

    Arguments left out are read from the environment (see `read_settings`). Warnings and uncaught
    exceptions become lines too. Console handlers that were there before, on the root or on
    loggers of libraries, are taken off, so that each event appears once however often this is
    called; handlers that write elsewhere (files, error trackers) stay.

    Args:
        service: name of the service: `SERVICE_NAME` or `OTEL_SERVICE_NAME`.
        level: threshold of the root logger, name or number: `LOG_LEVEL`; by default `debug` when
            `env` is `dev`, otherwise `info`.
        env: environment of the service: `ENV`.
        version: version of the service: `SERVICE_VERSION`.
        log_format: `json`, `console` (text for a person) or `auto` (console on a terminal):
            `LOG_FORMAT`.
        redact: further words that mark a key as secret: `LOG_REDACT`, separated by commas.
        stream: stream to write to; `sys.stdout` by default.
        push: URL of a Loki to push the same lines to; `True` for the URL in `LOKI_PUSH_URL` or
            else `LOKI_URL`, `False` for no push. By default lines are pushed when
            `LOKI_PUSH_URL` is set. For services without an agent: with both, each line arrives
            twice.

    Raises:
        SettingsError: an argument or a variable has an invalid value.
    """
    settings = read_settings()
    threshold = settings.level if level is None else parse_level(level, "level")
    if threshold is None:
        threshold = default_level(env or settings.env)
    handler = StdoutHandler(stream)
    chosen = settings.log_format if log_format is None else parse_format(log_format, "log_format")
    identity = {"service": service, "env": env, "version": version, "redact": words_of(redact)}
    handler.setFormatter(_formatter(chosen, handler.stream, **identity))
    pushing = _push_handler(push, settings, handler.formatter, **identity)
    _take_in_existing_loggers(heir=pushing)
    root = logging.getLogger()
    made: list[logging.Handler] = [handler] if pushing is None else [handler, pushing]
    for one in made:
        root.addHandler(one)
    root.setLevel(threshold)
    set_levels(env or settings.env, threshold, settings.levels)
    take_in_access_lines()
    take_in_rocketry()
    install_records()
    guard.keep(made)
    capture_uncaught()
    if push is None:
        _report_push_url(settings)
    return root


def keep_json_logging() -> logging.Logger:
    """Return the root logger, after setting it up if needed; adopt loggers that were added since.

    The kit notices later configurations of logging by itself, except a handler in the list of a
    logger that logs nothing: this call checks all loggers.
    """
    root = logging.getLogger()
    guard.look_at(root)
    ours = [handler for handler in root.handlers if is_ours(handler)]
    if not ours:
        return setup_json_logging()
    _take_in_existing_loggers(keep=ours)
    guard.look_at(root)
    return root


class JsonHandler(StdoutHandler):
    """Calls `setup_json_logging`, and takes the place of its handler on the root logger.

    For configurations of `logging.config`, as the only handler of the root logger.

    Args:
        service: as in `setup_json_logging`.
        push: as in `setup_json_logging`, but off by default, because the configuration names no
            push handler.
        root_level: level of the root logger; `level` is already a key of `dictConfig`.
        arguments: further arguments of `setup_json_logging`.
    """

    def __init__(
        self,
        service: str | None = None,
        *,
        push: bool | str | None = False,
        root_level: str | int | None = None,
        **arguments: Any,
    ) -> None:
        root = setup_json_logging(service, push=push, level=root_level, **arguments)
        (made,) = [one for one in root.handlers if isinstance(one, StdoutHandler)]
        super().__init__(made.stream)
        self.setFormatter(made.formatter)
        others = [one for one in guard.ours if one is not made]
        root.removeHandler(made)
        root.addHandler(self)
        guard.keep([self, *others])


def logging_config(
    service: str | None = None, *, level: str | int | None = None, **arguments: Any
) -> dict[str, Any]:
    """Return a configuration for `logging.config.dictConfig` that calls `setup_json_logging`.

    It holds plain values only, for servers that pass it to other processes. `loggers` and further
    `handlers` can be added.

    Args:
        service: as in `setup_json_logging`.
        level: as in `setup_json_logging`.
        arguments: further arguments of `setup_json_logging`, except `stream`.
    """
    own = {"service": service, "root_level": level, "push": None, **arguments}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {},
        "handlers": {"lokikit": {"()": "lokikit.JsonHandler", **own}},
        "loggers": {},
        "root": {"handlers": ["lokikit"]},
    }


def _formatter(chosen: str, stream: IO[Any] | None, **identity: Any) -> JsonFormatter:
    on_terminal = is_terminal(stream)
    if chosen == "console" or (chosen == "auto" and on_terminal):
        colour = on_terminal and not os.environ.get("NO_COLOR")
        return ConsoleFormatter(colour=colour, **identity)
    return JsonFormatter(**identity)


def _push_handler(
    push: bool | str | None,  # noqa: FBT001 - passed on by keyword
    settings: Settings,
    formatter: logging.Formatter | None,
    **identity: Any,
) -> LokiHandler | None:
    url = push if isinstance(push, str) else settings.push_url
    if push is True or (push is None and _pushes_as_before(settings)):
        url = url or settings.loki_url
    if push is False or (push is None and not url):
        return None
    if not url:
        raise SettingsError(
            "push=True needs to know where Loki is: set LOKI_URL or LOKI_PUSH_URL, or push=URL."
        )
    try:
        from lokikit.push.handler import LokiHandler  # noqa: PLC0415 - needs the extra
    except ImportError as error:
        raise SettingsError(
            f"pushing to {url} needs the extra: pip install 'lokikit[push]' ({error})."
        ) from error
    access = read_loki_access()
    # Credentials in the argument belong to that Loki, credentials of the environment to another.
    own = isinstance(push, str) and read_address(url).credentials is not None
    auth = None if own else access.auth
    handler = LokiHandler(
        url,
        auth=auth if isinstance(auth, tuple) else None,
        bearer_token=auth if isinstance(auth, str) else None,
        tenant=access.tenant,
        spool_dir=settings.spool_dir,
        durable=settings.durable,
        service=identity["service"],
        env=identity["env"],
    )
    same = type(formatter) is JsonFormatter
    handler.setFormatter(formatter if same else JsonFormatter(**identity))
    handler.made_by_setup = True
    return handler


def _pushes_as_before(settings: Settings) -> bool:
    """Return True when `LOKI_URL` still makes a service push, beside another push variable."""
    meant = settings.spool_dir or settings.durable
    return bool(settings.loki_url and not settings.push_url and meant and _has_push_extra())


def _has_push_extra() -> bool:
    return importlib.util.find_spec("logging_loki") is not None


def _report_push_url(settings: Settings) -> None:
    """Report once that `LOKI_URL` is for queries: services used to push by it."""
    if settings.push_url or not settings.loki_url or not _has_push_extra() or _reported:
        return
    _reported.add("LOKI_PUSH_URL")
    text = _STILL_PUSHED if _pushes_as_before(settings) else _NOT_PUSHED
    to_stderr(f"LOKI_URL={settings.loki_url} {text}")


def _take_in_existing_loggers(
    keep: Iterable[logging.Handler] = (), heir: LokiHandler | None = None
) -> None:
    """Remove console handlers from every logger, and pass their records to the kit's handlers.

    A logger that does not propagate stays so: a file, mail or an error tracker at the root gets
    no more records than before.

    Args:
        keep: handlers that stay on the root.
        heir: push handler that takes the place of the former push handler.
    """
    root = logging.getLogger()
    loggers = [one for one in root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    # The list is complete before a handler is taken off: Uvicorn's worker for Gunicorn shares
    # a list of handlers between loggers.
    found = [
        (logger, handler)
        for logger in (*loggers, root)
        for handler in logger.handlers
        if (is_ours(handler) or is_console(handler)) and (logger is not root or handler not in keep)
    ]
    for logger, handler in found:
        if logger is root and handler in keep:
            continue
        logger.removeHandler(handler)
        if not logger.propagate:
            guard.stand_in(logger)
        if getattr(handler, "made_by_setup", False) and handler not in keep:
            # Closing it would wait for a Loki that is away, and then drop lines.
            cast("LokiHandler", handler).retire(heir)
