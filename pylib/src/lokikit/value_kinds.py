"""Kinds of values of environment variables: the valid texts, the value of each, the error."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from os.path import expanduser
from typing import Generic, Protocol, TypeVar

from lokikit.errors import SettingsError
from lokikit.fields import LEVELS

Network = IPv4Network | IPv6Network

Value = TypeVar("Value")
Read_co = TypeVar("Read_co", covariant=True)

FORMATS = ("json", "console", "auto")
FSYNC = "fsync"
"""The value of `LOKI_DURABLE` and `durable=` that has each line survive a power cut."""
_SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
_LEVEL_NUMBERS = {
    **{name: getattr(logging, name.upper()) for name in LEVELS},
    "warn": logging.WARNING,
    "fatal": logging.CRITICAL,
}


class Values(Protocol[Read_co]):
    """What a variable may hold: its valid texts, and the value of each."""

    @property
    def wanted(self) -> str:
        """The valid texts, as the end of a sentence: `is not …`."""

    def parse(self, text: str, name: str) -> Read_co:
        """Return the value of a text; raise `SettingsError` with `name` for an invalid text."""


@dataclass(frozen=True)
class ValueKind(Generic[Value]):
    """A kind of value.

    Args:
        wanted: the valid texts, as the end of a sentence.
        convert: text -> value; raises `ValueError` for another text.
    """

    wanted: str
    convert: Callable[[str], Value]

    def parse(self, text: str, name: str) -> Value:
        """Return the value of a text.

        Args:
            text: as a variable or an argument has it.
            name: of the variable or argument, for the error.

        Raises:
            SettingsError: the text is no value of this kind.
        """
        try:
            return self.convert(text)
        except ValueError as error:
            raise SettingsError(f"{name}={text!r} is not {self.wanted}.") from error


@dataclass(frozen=True)
class ValueList(Generic[Value]):
    """A list of values, which commas separate in a text."""

    item: ValueKind[Value]

    @property
    def wanted(self) -> str:
        """The valid texts."""
        return f"{self.item.wanted}; several separated by commas"

    def parse(self, text: str, name: str) -> tuple[Value, ...]:
        """Return the values of a text; empty ones are left out.

        Raises:
            SettingsError: one of them is no value of its kind; the text names it.
        """
        return tuple(self.item.parse(word, name) for word in words(text))


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, which commas separate."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _switch(text: str) -> bool:
    if (word := text.lower()) not in _SWITCH:
        raise ValueError(text)
    return _SWITCH[word]


def _durable(text: str) -> bool | str:
    return FSYNC if text.lower() == FSYNC else _switch(text)


def _seconds(text: str) -> float:
    if not 0 < (seconds := float(text)) < math.inf:
        raise ValueError(text)
    return seconds


def _level(text: str) -> int:
    word = text.strip().lower()
    if word in _LEVEL_NUMBERS:
        return int(_LEVEL_NUMBERS[word])
    if not word.isdecimal():
        raise ValueError(text)
    return int(word)


def _format(text: str) -> str:
    return FORMATS[FORMATS.index(text.strip().lower())]


def _logger_level(text: str) -> tuple[str, int]:
    logger, _, level = text.partition("=")
    return logger.strip(), _level(level)


TEXT = ValueKind("a text", str)
URL = ValueKind("a URL", str)
FOLDER = ValueKind("a folder", expanduser)
"""No shell sees what stands in a unit of systemd or a Compose file, so `~` is read here."""
SWITCH = ValueKind("`on` or `off`", _switch)
SECONDS = ValueKind("a number of seconds above 0", _seconds)
LEVEL = ValueKind(f"a level: one of {', '.join(LEVELS)}, or a number", _level)
FORMAT = ValueKind(f"a format: one of {', '.join(FORMATS)}", _format)
NETWORK = ValueKind(
    "an address or a network such as 10.0.0.0/8", lambda text: ip_network(text, strict=False)
)
DURABLE = ValueKind(f"`on`, `off` or `{FSYNC}`", _durable)
LOGGER_LEVEL = ValueKind("a logger with its level, such as httpx=info", _logger_level)
