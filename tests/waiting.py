"""Waiting for a condition with a deadline; no test sleeps for a time instead."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_POLL_S = 0.05


def eventually(check: Callable[[], T | None], within_s: float = 30) -> T:
    """The first truthy value of `check()`; fails with the last one when none comes in time."""
    deadline = time.monotonic() + within_s
    while not (value := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s; the last value was {value!r}")
        time.sleep(_POLL_S)
    return value
