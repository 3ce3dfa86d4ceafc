"""The environment variables that a service reads: name, meaning, default, valid values, error.

`settings.read_settings` reads them, and the tables of docs/settings.md are written from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic

from lokikit.value_kinds import (
    DURABLE,
    FOLDER,
    FORMAT,
    FSYNC,
    LEVEL,
    LOGGER_LEVEL,
    NETWORK,
    SECONDS,
    SWITCH,
    TEXT,
    URL,
    Network,
    Value,
    ValueKind,
    ValueList,
    Values,
)

HEALTH_PATHS = ("/health", "/healthz", "/livez", "/metrics", "/ping", "/readyz")
SLOW_S = 1.0


@dataclass(frozen=True)
class Setting(Generic[Value]):
    """One variable, or several of which the first that is set wins.

    Args:
        names: of the variable.
        meaning: what it sets.
        kind: its values.
        default: the value while none of the names is set.
        without: how the page describes that default.
        argument: of `setup_json_logging`, which wins over it.
    """

    names: tuple[str, ...]
    meaning: str
    kind: Values[Value]
    default: Value
    without: str
    argument: str = ""

    def read(self, environ: Mapping[str, str]) -> Value:
        """Return the value in `environ`; an empty variable counts as unset.

        Raises:
            SettingsError: the value is none of its kind; the text names the valid values.
        """
        for name in self.names:
            if text := environ.get(name, "").strip():
                return self.kind.parse(text, name)
        return self.default


SERVICE: Setting[str | None] = Setting(
    ("SERVICE_NAME", "OTEL_SERVICE_NAME"),
    "the service; the first of the two wins",
    TEXT,
    None,
    "no field; the agent names it",
    "service",
)
ENV: Setting[str | None] = Setting(
    ("ENV",), "where it runs: `dev`, `prod`, any word", TEXT, None, "no field", "env"
)
VERSION: Setting[str | None] = Setting(
    ("SERVICE_VERSION",), "version of the service", TEXT, None, "no field", "version"
)
LOG_LEVEL: Setting[int | None] = Setting(
    ("LOG_LEVEL",),
    "from which level on lines are written",
    LEVEL,
    None,
    "`debug` where `ENV` is `dev`, else `info`",
    "level",
)
LOG_FORMAT = Setting(
    ("LOG_FORMAT",),
    "how lines are written: `console` is text for a person",
    FORMAT,
    "auto",
    "`auto`: `console` on a terminal, else `json`",
    "log_format",
)
LOG_LEVELS: Setting[tuple[tuple[str, int], ...]] = Setting(
    ("LOG_LEVELS",),
    "levels of single loggers",
    ValueList(LOGGER_LEVEL),
    (),
    "that of the root",
)
LOG_REQUESTS = Setting(("LOG_REQUESTS",), "whether requests have a line", SWITCH, True, "`on`")
LOG_SLOW_S = Setting(
    ("LOG_SLOW_S",),
    "from how many seconds on the line of a request is a warning",
    SECONDS,
    SLOW_S,
    f"`{SLOW_S}`",
)
LOG_HEALTH_PATHS = Setting(
    ("LOG_HEALTH_PATHS",),
    "paths whose requests have no line unless they fail",
    ValueList(ValueKind("a path", str)),
    HEALTH_PATHS,
    ", ".join(f"`{path}`" for path in HEALTH_PATHS),
)
TRUSTED_PROXIES: Setting[tuple[Network, ...]] = Setting(
    ("TRUSTED_PROXIES",),
    "the proxies whose `X-Forwarded-For` is believed",
    ValueList(NETWORK),
    (),
    "none",
)
LOG_TASKS = Setting(("LOG_TASKS",), "whether steps of tasks have a line", SWITCH, True, "`on`")
LOG_REDACT: Setting[tuple[str, ...]] = Setting(
    ("LOG_REDACT",),
    "further words that mark a key as secret",
    ValueList(ValueKind("a word", str)),
    (),
    "none beside [the kit's own](security.md)",
    "redact",
)
LOKI_PUSH_URL: Setting[str | None] = Setting(
    ("LOKI_PUSH_URL",),
    "send the lines straight to that Loki too, for services without an agent",
    URL,
    None,
    "no push",
    "push",
)
LOKI_ORG_ID: Setting[str | None] = Setting(
    ("LOKI_ORG_ID",), "tenant (`X-Scope-OrgID`) of pushes and of the commands", TEXT, None, "none"
)
LOKI_USERNAME: Setting[str | None] = Setting(
    ("LOKI_USERNAME",), "user, of pushes and of the commands", TEXT, None, "no credentials"
)
LOKI_PASSWORD = Setting(("LOKI_PASSWORD",), "password of that user", TEXT, "", "empty")
LOKI_BEARER_TOKEN: Setting[str | None] = Setting(
    ("LOKI_BEARER_TOKEN",), "a token in place of user and password", TEXT, None, "none"
)
LOKI_SPOOL_DIR: Setting[str | None] = Setting(
    ("LOKI_SPOOL_DIR",),
    "where pushed lines wait on disk while Loki is away",
    FOLDER,
    None,
    "they wait in memory only",
)
LOKI_DURABLE = Setting(
    ("LOKI_DURABLE",),
    "`on`: a pushed line is in a file before the call that logs it returns; "
    f"`{FSYNC}`: on the disk, whatever the power does",
    DURABLE,
    False,
    "`off`",
)
NO_COLOR = Setting(
    ("NO_COLOR",),
    "no colours on the console",
    ValueKind("a text", bool),
    False,
    "colours on a terminal",
)
LOKI_URL: Setting[str | None] = Setting(
    ("LOKI_URL",),
    "the Loki that `query`, `tail`, `check` and `ship` talk to; a native `up` then starts no "
    "store, and its agent sends there",
    URL,
    None,
    "that of `lokikit up`",
)

OF_A_SERVICE = (
    *(SERVICE, ENV, VERSION, LOG_LEVEL, LOG_FORMAT, LOG_LEVELS, LOG_REQUESTS, LOG_SLOW_S),
    *(LOG_HEALTH_PATHS, TRUSTED_PROXIES, LOG_TASKS, LOG_REDACT, LOKI_PUSH_URL, LOKI_ORG_ID),
    *(LOKI_USERNAME, LOKI_PASSWORD, LOKI_BEARER_TOKEN, LOKI_SPOOL_DIR, LOKI_DURABLE, NO_COLOR),
)
"""In the order of the page."""
