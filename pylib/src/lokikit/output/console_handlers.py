"""The test for handlers that write to the console, like those of the kit."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from lokikit.output.stdout_handler import file_descriptor

_STREAM_NAMES = ("stream", "console", "_console", "file", "target")
"""Attributes of handlers that hold their target."""


def is_console(handler: logging.Handler) -> bool:
    """Return True when the handler writes to the console, whatever its class or descriptor."""
    if isinstance(handler, logging.FileHandler) and handler.stream is None:  # opened later
        return _is_console_file(_stat_of(handler.baseFilename))
    return any(_leads_to_console(_get(handler, name)) for name in _STREAM_NAMES)


def _get(handler: logging.Handler, name: str) -> Any:
    try:
        return getattr(handler, name, None)
    except Exception:  # noqa: BLE001 - a foreign property may raise anything
        return None


def _leads_to_console(target: Any) -> bool:
    if target is None:
        return False
    if isinstance(target, logging.Handler):
        return is_console(target)
    if any(target is one for one in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)):
        return True
    descriptor = file_descriptor(target)
    if descriptor is not None:
        return _is_console_file(_stat_of(descriptor))
    # The current file of Rich's console.
    return not hasattr(target, "write") and _leads_to_console(getattr(target, "file", None))


def _is_console_file(status: os.stat_result | None) -> bool:
    """Return True for the file, pipe or terminal of stdout or stderr, however it was opened."""
    # Without a stream the descriptor may be any file's that was opened since.
    consoles = [number for number, one in ((1, sys.__stdout__), (2, sys.__stderr__)) if one]
    return status is not None and any(
        other is not None and os.path.samestat(status, other) for other in map(_stat_of, consoles)
    )


def _stat_of(file: str | int) -> os.stat_result | None:
    try:
        return os.stat(file)  # noqa: PTH116 - also of a descriptor
    except (OSError, ValueError, OverflowError):
        return None
