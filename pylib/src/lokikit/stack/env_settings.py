"""The valid values of `.env`: a table, checked before anything starts.

Loki and Fluent Bit accept some harmful values without a message: a retention of 0 refuses every
line, and a storage limit of 10 is ten bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lokikit.delivery.address import read_address
from lokikit.errors import SettingsError
from lokikit.stack.grafana.contacts import PREFIX
from lokikit.stack.kit_files import kit_env, loki_url, port
from lokikit.times import NS_PER_S, parse_duration_ns

_VERSION = re.compile(r"[A-Za-z0-9_][\w.-]{0,127}", re.ASCII)
"""A tag of an image, by https://docs.docker.com/reference/cli/docker/image/tag/."""
_REGISTRY = re.compile(r"[\w.-]+(:\d+)?(/[\w.-]+)*", re.ASCII)
_DURATION = re.compile(r"(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?", re.ASCII)
"""Largest unit first, as Loki requires."""
_SIZE = re.compile(r"(\d+)([KMG])B?", re.ASCII | re.IGNORECASE)
_BYTES = {"K": 10**3, "M": 10**6, "G": 10**9}
"""Units of Fluent Bit."""
_MIN_STORAGE_BYTES = 10 * _BYTES["M"]
"""Five chunks of Fluent Bit, which drops whole chunks."""
_MEMORY = re.compile(r"(\d+)([mg])b?", re.ASCII | re.IGNORECASE)
_MIB = {"M": 1, "G": 1024}
_MIN_MEMORY_MIB = 64
_HOUR_NS = 3600 * NS_PER_S
_MAX_RETENTION_NS = 100 * 365 * 24 * _HOUR_NS


class Kind(NamedTuple):
    """A kind of value; `wanted` is the end of an error's sentence."""

    is_valid: Callable[[str], bool]
    wanted: str


def _is_retention(text: str) -> bool:
    if not text or not _DURATION.fullmatch(text):
        return False
    try:
        return _HOUR_NS <= parse_duration_ns(text, "") <= _MAX_RETENTION_NS
    except SettingsError:  # longer than the time of Loki
        return False


def _is_storage(text: str) -> bool:
    found = _SIZE.fullmatch(text)
    return found is not None and int(found[1]) * _BYTES[found[2].upper()] >= _MIN_STORAGE_BYTES


def memory_mib(text: str) -> int:
    """Return the MiB of a memory limit as Docker writes it; 0 for other text."""
    found = _MEMORY.fullmatch(text)
    return int(found[1]) * _MIB[found[2].upper()] if found else 0


_VERSION_KIND = Kind(
    lambda text: bool(_VERSION.fullmatch(text)), "a tag of its image, such as 3.7.8"
)
TABLE: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "LOKI_VERSION",
            "FLUENTBIT_VERSION",
            "GRAFANA_VERSION",
            "PYTHON_VERSION",
            "LOKIKIT_VERSION",
        ),
        _VERSION_KIND,
    ),
    "LOKI_RETENTION": Kind(
        _is_retention,
        "how long lines are kept, from 1h to 100 years, largest unit first: 168h, 30d or 1d12h",
    ),
    "FLUENTBIT_STORAGE_LIMIT": Kind(_is_storage, "a size with its unit, 10M or more: 500M or 1G"),
    **dict.fromkeys(
        ("LOKI_MEMORY", "FLUENTBIT_MEMORY", "GRAFANA_MEMORY"),
        Kind(
            lambda text: memory_mib(text) >= _MIN_MEMORY_MIB,
            f"a memory limit as Docker has it, {_MIN_MEMORY_MIB}m or more: 512m or 2g",
        ),
    ),
    "REGISTRY": Kind(
        lambda text: bool(_REGISTRY.fullmatch(text)),
        "a registry without a scheme: docker.io or registry.example:5000/mirror",
    ),
}
"""Name -> kind of value; ports are recognized by the end of their name."""
_PORT = "_PORT"
_OF_THE_SHELL = re.compile(
    rf"{PREFIX}\w+|LOKI_URL|LOKI_ORG_ID|LOKI_USERNAME|LOKIKIT_STATE|LOKIKIT_KIT|DEMO|PAGE_PASSWORD"
)
"""Variables that are read from the environment alone."""


def check_env(environ: Mapping[str, str] = os.environ) -> None:
    """Return when `LOKI_URL` and each value of `.env`, or of the shell over it, can be used.

    Raises:
        SettingsError: names the first value that cannot be used, and the valid values.
    """
    values = kit_env(environ)
    read_address(loki_url(environ))
    for name in kit_env({}):
        if name.endswith(_PORT):
            port(name, environ)
        elif (kind := TABLE.get(name)) and not kind.is_valid(values[name]):
            raise SettingsError(
                f"{name}={values[name]!r} cannot be used: set {kind.wanted}, in .env or the shell."
            )


def unread_settings(environ: Mapping[str, str] = os.environ) -> str:
    """Return a sentence about lines of `.env` that have no effect there; empty without them."""
    unread = [name for name in kit_env({}) if _OF_THE_SHELL.fullmatch(name) and name not in environ]
    names = " and ".join(filter(None, [", ".join(unread[:-1]), *unread[-1:]]))
    verb, them = ("have", "them") if len(unread) > 1 else ("has", "it")
    return names and f"{names} in .env {verb} no effect: set {them} in the environment of each up."
