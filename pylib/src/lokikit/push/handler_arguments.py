"""Checks of the push handler's arguments; each error names the valid values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lokikit.errors import SettingsError
from lokikit.settings import FSYNC

_MODES = ("drop", "block")
_PAIR = 2


def check_modes(on_full: str, durable: bool | str, spool_dir: object) -> None:  # noqa: FBT001 - its own argument
    """Check `on_full` and `durable`.

    Raises:
        SettingsError: an argument has another value than the valid ones, or needs a spool.
    """
    if on_full not in _MODES:
        raise SettingsError(f"on_full={on_full!r} is not known: use drop or block.")
    if durable not in {True, False, FSYNC}:
        raise SettingsError(f"durable={durable!r} is not known: use True, False or {FSYNC!r}.")
    if durable and spool_dir is None:
        raise SettingsError("durable=True needs a place for the lines: set spool_dir.")


def check_sizes(**sizes: Any) -> None:
    """Check limits.

    Raises:
        SettingsError: an argument is no number above zero.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, (int, float)) or size <= 0:
            raise SettingsError(f"{name}={size!r} is no number above zero.")


def read_timeouts(timeout_s: Any) -> tuple[float, float]:
    """Return the seconds to connect and to read, from a pair or from a number for both.

    Raises:
        SettingsError: the argument is neither a number nor a pair.
    """
    pair = tuple(timeout_s) if isinstance(timeout_s, (tuple, list)) else (timeout_s, timeout_s)
    if len(pair) != _PAIR:
        raise SettingsError(
            f"timeout_s={timeout_s!r} is neither a number nor a pair of numbers: use 5 or (2, 10)."
        )
    for one in pair:
        check_sizes(timeout_s=one)
    return pair


def check_credentials(auth: Any, tags: Any, headers: Any) -> None:
    """Check the credentials, the labels of each line and the headers of each push.

    Raises:
        SettingsError: `auth` is no pair, or `tags` or `headers` is no mapping.
    """
    is_pair = isinstance(auth, (tuple, list)) and len(auth) == _PAIR
    if auth is not None and not is_pair:
        raise SettingsError(
            "auth is no pair of a user and a password: use auth=(user, password), "
            "or bearer_token= for a token."
        )
    for name, value in (("tags", tags), ("headers", headers)):
        _check_mapping(name, value)


def _check_mapping(name: str, value: Mapping[Any, Any] | None) -> None:
    try:
        dict(value or {})
    except (TypeError, ValueError):
        raise SettingsError(
            f"{name}={value!r} is no mapping of names to values: write {{'name': 'value'}}."
        ) from None
