"""The environment, read once into one frozen object; a bad value is an error."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lokikit import value_kinds, variables
from lokikit.errors import SettingsError
from lokikit.value_kinds import FORMATS, FSYNC
from lokikit.variables import HEALTH_PATHS, SLOW_S

if TYPE_CHECKING:
    from lokikit.value_kinds import Network

__all__ = (
    "FORMATS",
    "FSYNC",
    "LokiAccess",
    "RequestSettings",
    "Settings",
    "default_level",
    "parse_format",
    "parse_level",
    "parse_networks",
    "read_loki_access",
    "read_settings",
    "words_of",
)


@dataclass(frozen=True)
class LokiAccess:
    """The address of a Loki, and the identity of its client.

    Args:
        url: address of the Loki, `None` without an address.
        tenant: value of `X-Scope-OrgID`.
        auth: user and password, or a bearer token.
    """

    url: str | None
    tenant: str | None
    auth: tuple[str, str] | str | None


@dataclass(frozen=True)
class RequestSettings:
    """The settings of request logs.

    Args:
        enabled: True when each request has a line.
        slow_s: duration from which on the line is a warning.
        health_paths: paths without a line, unless the answer is an error.
        trusted_proxies: networks whose `X-Forwarded-For` is trusted.
    """

    enabled: bool = True
    slow_s: float = SLOW_S
    health_paths: tuple[str, ...] = HEALTH_PATHS
    trusted_proxies: tuple[Network, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The settings of logging.

    Args:
        service: name of the service, `None` when unknown.
        env: environment of the service (`dev`, `staging`, `prod`, any word), `None` when unknown.
        version: version of the service, `None` when unknown.
        level: threshold of the root logger, a number of the `logging` module; `None` leaves
            it to `default_level`.
        log_format: a word of `FORMATS`.
        redact: further words that mark a key as secret.
        push_url: URL of the Loki to push lines to, `None` for no push.
        loki_url: URL of the Loki that the commands query, `None` when unknown.
        spool_dir: folder in which pushed lines wait on disk, `None` for no spool.
        durable: True when each line is in a file before the call that logs it returns; `FSYNC`
            when it is on the disk itself, so that a power cut does not lose it.
        levels: name and threshold of single loggers.
        requests: settings of request logs.
        tasks: True when each step of a task has a line.
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
    """Return the settings in `environ`; an empty variable counts as unset.

    Raises:
        SettingsError: a variable has an invalid value; the text names the fix.
    """
    return Settings(
        service=variables.SERVICE.read(environ),
        env=variables.ENV.read(environ),
        version=variables.VERSION.read(environ),
        level=variables.LOG_LEVEL.read(environ),
        log_format=variables.LOG_FORMAT.read(environ),
        redact=variables.LOG_REDACT.read(environ),
        push_url=variables.LOKI_PUSH_URL.read(environ),
        loki_url=variables.LOKI_URL.read(environ),
        spool_dir=variables.LOKI_SPOOL_DIR.read(environ),
        durable=variables.LOKI_DURABLE.read(environ),
        levels=variables.LOG_LEVELS.read(environ),
        requests=RequestSettings(
            enabled=variables.LOG_REQUESTS.read(environ),
            slow_s=variables.LOG_SLOW_S.read(environ),
            health_paths=variables.LOG_HEALTH_PATHS.read(environ),
            trusted_proxies=variables.TRUSTED_PROXIES.read(environ),
        ),
        tasks=variables.LOG_TASKS.read(environ),
    )


def words_of(argument: str | bytes | Iterable[str]) -> tuple[str, ...]:
    """Return the words of an argument: a list, or a text with commas as in the environment.

    Raises:
        SettingsError: the argument is neither text nor a list.
    """
    if isinstance(argument, str):
        return value_kinds.words(argument)
    try:
        words = () if isinstance(argument, bytes) else tuple(argument)
    except TypeError:
        words = ()
    if not words and argument:
        raise SettingsError(f"{argument!r} is no list of words: use 'pin', or ['pin', 'iban'].")
    return words


def read_loki_access(environ: Mapping[str, str] = os.environ) -> LokiAccess:
    """Return the address of Loki and the identity of its client in the environment."""
    user = variables.LOKI_USERNAME.read(environ)
    basic = (user, variables.LOKI_PASSWORD.read(environ)) if user else None
    return LokiAccess(
        variables.LOKI_URL.read(environ),
        variables.LOKI_ORG_ID.read(environ),
        variables.LOKI_BEARER_TOKEN.read(environ) or basic,
    )


def parse_networks(words: Iterable[str], name: str) -> tuple[Network, ...]:
    """Return the networks of words such as `10.0.0.0/8`; an address is a network of one.

    Raises:
        SettingsError: a word is neither an address nor a network.
    """
    return tuple(value_kinds.NETWORK.parse(word, name) for word in words)


def default_level(env: str | None) -> int:
    """Return DEBUG for the environment `dev`, otherwise INFO."""
    return logging.DEBUG if env == "dev" else logging.INFO


def parse_level(level: str | int, name: str) -> int:
    """Return the number of a level, from its name in any case or from a number.

    Args:
        level: `"warning"`, `"WARN"`, `30`, `"30"`.
        name: name of the setting, for the error.

    Raises:
        SettingsError: the level is neither in `LEVELS` nor a number.
    """
    return value_kinds.LEVEL.parse(str(level), name)


def parse_format(log_format: str, name: str) -> str:
    """Return a word of `FORMATS`, from a word in any case.

    Raises:
        SettingsError: the word is not in `FORMATS`.
    """
    return value_kinds.FORMAT.parse(log_format, name)
