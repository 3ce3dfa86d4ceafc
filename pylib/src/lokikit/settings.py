"""The environment, read once into one frozen object; a bad value is an error."""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from lokikit.errors import SettingsError
from lokikit.fields import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Network = IPv4Network | IPv6Network

FORMATS = ("json", "console", "auto")
HEALTH_PATHS = ("/health", "/healthz", "/livez", "/metrics", "/ping", "/readyz")
SLOW_S = 1.0
FSYNC = "fsync"
"""The value of `LOKI_DURABLE` and `durable=` that has each line survive a power cut."""
_SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
_LEVEL_NUMBERS = {
    **{name: getattr(logging, name.upper()) for name in LEVELS},
    "warn": logging.WARNING,
    "fatal": logging.CRITICAL,
}


@dataclass(frozen=True)
class LokiAccess:
    """Where a Loki is, and who asks it.

    Args:
        url: its address, `None` when nothing names one.
        tenant: sent as `X-Scope-OrgID`.
        auth: user and password, or a bearer token.
    """

    url: str | None
    tenant: str | None
    auth: tuple[str, str] | str | None


@dataclass(frozen=True)
class RequestSettings:
    """How requests are logged.

    Args:
        enabled: whether each has a line.
        slow_s: from how long on that line is a warning.
        health_paths: paths without a line, unless the answer is an error.
        trusted_proxies: networks whose `X-Forwarded-For` is believed.
    """

    enabled: bool = True
    slow_s: float = SLOW_S
    health_paths: tuple[str, ...] = HEALTH_PATHS
    trusted_proxies: tuple[Network, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What the environment says about logging.

    Args:
        service: name of the service, `None` when nothing names it.
        env: where it runs (`dev`, `staging`, `prod`, any word), `None` when unknown.
        version: version of the service, `None` when unknown.
        level: threshold of the root logger, a number of the `logging` module; `None` leaves
            it to `default_level`.
        log_format: one of `FORMATS`.
        redact: further words that mark a key as secret.
        push_url: where to push lines to, `None` for nowhere.
        loki_url: the Loki that lokikit's commands ask, `None` when nothing names one.
        spool_dir: where pushed lines wait on disk, `None` for nowhere.
        durable: whether each line is in a file before the call that logs it returns; `FSYNC`:
            on the disk itself, whatever the power does.
        levels: thresholds of single loggers, by name.
        requests: how requests are logged.
        tasks: whether each step of a task has a line.
    """

    service: str | None = None
    env: str | None = None
    version: str | None = None
    level: int | None = None
    log_format: str = "auto"
    redact: tuple[str, ...] = field(default=())
    push_url: str | None = None
    loki_url: str | None = None
    spool_dir: str | None = None
    durable: bool | str = False
    levels: tuple[tuple[str, int], ...] = ()
    requests: RequestSettings = field(default_factory=RequestSettings)
    tasks: bool = True


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that `environ` holds; an empty variable counts as unset.

    Raises:
        SettingsError: a variable has a value that means nothing; the text names the fix.
    """
    get = _getter(environ)
    return Settings(
        service=get("SERVICE_NAME", "OTEL_SERVICE_NAME"),
        env=get("ENV"),
        version=get("SERVICE_VERSION"),
        level=parse_level(level, "LOG_LEVEL") if (level := get("LOG_LEVEL")) else None,
        log_format=parse_format(get("LOG_FORMAT") or "auto", "LOG_FORMAT"),
        redact=_words(get("LOG_REDACT")),
        push_url=get("LOKI_PUSH_URL"),
        loki_url=get("LOKI_URL"),
        spool_dir=get("LOKI_SPOOL_DIR"),
        durable=_parse_durable(get("LOKI_DURABLE") or "off"),
        levels=tuple(_parse_logger(word, "LOG_LEVELS") for word in _words(get("LOG_LEVELS"))),
        requests=_read_requests(get),
        tasks=_parse_switch(get("LOG_TASKS") or "on", "LOG_TASKS"),
    )


def _read_requests(get: Callable[..., str | None]) -> RequestSettings:
    slow_s, paths = get("LOG_SLOW_S"), get("LOG_HEALTH_PATHS")
    return RequestSettings(
        enabled=_parse_switch(get("LOG_REQUESTS") or "on", "LOG_REQUESTS"),
        slow_s=_parse_seconds(slow_s, "LOG_SLOW_S") if slow_s else SLOW_S,
        health_paths=HEALTH_PATHS if paths is None else _words(paths),
        trusted_proxies=parse_networks(_words(get("TRUSTED_PROXIES")), "TRUSTED_PROXIES"),
    )


def words_of(given: str | bytes | Iterable[str]) -> tuple[str, ...]:
    """The words of an argument that takes several: a text is a list as the environment has it.

    Raises:
        SettingsError: it is neither text nor a list.
    """
    if isinstance(given, str):
        return _words(given)
    try:
        words = () if isinstance(given, bytes) else tuple(given)
    except TypeError:
        words = ()
    if not words and given:
        raise SettingsError(f"{given!r} is no list of words: use 'pin', or ['pin', 'iban'].")
    return words


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def read_loki_access(environ: Mapping[str, str] = os.environ) -> LokiAccess:
    """Where the environment says that Loki is, and who asks it."""
    get = _getter(environ)
    user = get("LOKI_USERNAME")
    basic = (user, get("LOKI_PASSWORD") or "") if user else None
    return LokiAccess(get("LOKI_URL"), get("LOKI_ORG_ID"), get("LOKI_BEARER_TOKEN") or basic)


def _getter(environ: Mapping[str, str]) -> Callable[..., str | None]:
    def get(*names: str) -> str | None:
        return next((value for name in names if (value := environ.get(name, "").strip())), None)

    return get


def _parse_switch(word: str, name: str) -> bool:
    if word.lower() not in _SWITCH:
        raise SettingsError(f"{name}={word!r} is neither on nor off.")
    return _SWITCH[word.lower()]


def _parse_durable(word: str) -> bool | str:
    if word.lower() in {FSYNC, *_SWITCH}:
        return _SWITCH.get(word.lower(), FSYNC)
    raise SettingsError(f"LOKI_DURABLE={word!r} is none of on, off and {FSYNC}.")


def _parse_seconds(word: str, name: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise SettingsError(f"{name}={word!r} is not a number of seconds above 0.")
    return seconds


def _parse_logger(word: str, name: str) -> tuple[str, int]:
    logger, separator, level = word.partition("=")
    if not separator:
        raise SettingsError(f"{name}={word!r} names no level: write logger=level.")
    return logger.strip(), parse_level(level, name)


def parse_networks(words: Iterable[str], name: str) -> tuple[Network, ...]:
    """Addresses and networks such as `10.0.0.0/8`.

    Raises:
        SettingsError: one of them is neither.
    """
    try:
        return tuple(ip_network(word, strict=False) for word in words)
    except ValueError as error:
        raise SettingsError(
            f"{name}: {error}; use addresses and networks such as 10.0.0.0/8."
        ) from error


def default_level(env: str | None) -> int:
    """DEBUG in the environment `dev`, otherwise INFO."""
    return logging.DEBUG if env == "dev" else logging.INFO


def parse_level(level: str | int, name: str) -> int:
    """The number of a level given by name, in any case, or by number.

    Args:
        level: `"warning"`, `"WARN"`, `30`, `"30"`.
        name: how the setting is called, for the error.

    Raises:
        SettingsError: it is none of `LEVELS` and no number.
    """
    word = str(level).strip().lower()
    if word in _LEVEL_NUMBERS:
        return int(_LEVEL_NUMBERS[word])
    if word.isdecimal() and not isinstance(level, bool):
        return int(word)
    raise SettingsError(f"{name}={level!r} is not a level: use one of {', '.join(LEVELS)}.")


def parse_format(log_format: str, name: str) -> str:
    """One of `FORMATS`, given in any case.

    Raises:
        SettingsError: it is none of them.
    """
    word = log_format.strip().lower()
    if word not in FORMATS:
        raise SettingsError(f"{name}={log_format!r} is not a format: use {', '.join(FORMATS)}.")
    return word
