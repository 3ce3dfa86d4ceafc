"""Text of any Python value: valid Unicode, and never an error."""

from __future__ import annotations

import re
from enum import Enum
from typing import Any

COLOUR_CODE = re.compile(r"\x1b\[[0-9;:]*m")
"""Sequences that colour text (ECMA-48, section 8.3.117), as werkzeug and others log them."""


def class_name(kind: type) -> str:
    """Return the name of a class with its module, without it for builtins."""
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def text(value: Any) -> str:
    """Return `str(value)` as valid Unicode, even if `__str__` raises or returns lone surrogates."""
    try:
        return clean(str(value))
    except Exception as error:  # noqa: BLE001 - a foreign __str__ may raise anything
        return f"[{type(value).__name__}: str() raised {type(error).__name__}]"


def clean(string: str) -> str:
    """Return the string with lone surrogates replaced, because UTF-8 cannot encode them."""
    if type(string) is str and string.isascii():
        return string
    try:
        string.encode()
    except UnicodeEncodeError:
        return string.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return str.__str__(string)


def key_name(key: Any) -> str:
    """Return the key of a mapping as a string."""
    if isinstance(key, str):
        return clean(key)
    if isinstance(key, bytes):
        return key.decode("utf-8", "backslashreplace")
    return text(key.value if isinstance(key, Enum) else key)
