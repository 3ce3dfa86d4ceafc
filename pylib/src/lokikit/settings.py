"""The environment, read once into one frozen object; a bad value is an error."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lokikit.errors import SettingsError
from lokikit.fields import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMATS = ("json", "console", "auto")
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
        loki: where to push lines to, `None` for nowhere.
        spool_dir: where pushed lines wait on disk, `None` for nowhere.
        durable: whether each line is on disk before the call that logs it returns.
    """

    service: str | None = None
    env: str | None = None
    version: str | None = None
    level: int | None = None
    log_format: str = "auto"
    redact: tuple[str, ...] = field(default=())
    loki: LokiAccess | None = None
    spool_dir: str | None = None
    durable: bool = False


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings that `environ` holds; an empty variable counts as unset.

    Raises:
        SettingsError: a variable has a value that means nothing; the text names the fix.
    """
    get = _getter(environ)
    access = read_loki_access(environ)
    return Settings(
        service=get("SERVICE_NAME", "OTEL_SERVICE_NAME"),
        env=get("ENV"),
        version=get("SERVICE_VERSION"),
        level=parse_level(level, "LOG_LEVEL") if (level := get("LOG_LEVEL")) else None,
        log_format=parse_format(get("LOG_FORMAT") or "auto", "LOG_FORMAT"),
        redact=tuple(word.strip() for word in (get("LOG_REDACT") or "").split(",") if word.strip()),
        loki=access if access.url else None,
        spool_dir=get("LOKI_SPOOL_DIR"),
        durable=_parse_switch(get("LOKI_DURABLE") or "off", "LOKI_DURABLE"),
    )


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
