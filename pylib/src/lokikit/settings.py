"""The environment, read once into one frozen object; a bad value is an error."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lokikit import value_kinds, variables
from lokikit.errors import SettingsError
from lokikit.value_kinds import FORMATS, FSYNC
from lokikit.variables import HEALTH_PATHS, SLOW_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def words_of(given: str | bytes | Iterable[str]) -> tuple[str, ...]:
    """The words of an argument that takes several: a text is a list as the environment has it.

    Raises:
        SettingsError: it is neither text nor a list.
    """
    if isinstance(given, str):
        return value_kinds.words(given)
    try:
        words = () if isinstance(given, bytes) else tuple(given)
    except TypeError:
        words = ()
    if not words and given:
        raise SettingsError(f"{given!r} is no list of words: use 'pin', or ['pin', 'iban'].")
    return words


def read_loki_access(environ: Mapping[str, str] = os.environ) -> LokiAccess:
    """Where the environment says that Loki is, and who asks it."""
    user = variables.LOKI_USERNAME.read(environ)
    basic = (user, variables.LOKI_PASSWORD.read(environ)) if user else None
    return LokiAccess(
        variables.LOKI_URL.read(environ),
        variables.LOKI_ORG_ID.read(environ),
        variables.LOKI_BEARER_TOKEN.read(environ) or basic,
    )


def parse_networks(words: Iterable[str], name: str) -> tuple[Network, ...]:
    """Addresses and networks such as `10.0.0.0/8`.

    Raises:
        SettingsError: one of them is neither.
    """
    return tuple(value_kinds.NETWORK.parse(word, name) for word in words)


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
    return value_kinds.LEVEL.parse(str(level), name)


def parse_format(log_format: str, name: str) -> str:
    """One of `FORMATS`, given in any case.

    Raises:
        SettingsError: it is none of them.
    """
    return value_kinds.FORMAT.parse(log_format, name)
