"""Any Python value in terms of JSON: never an error, secrets replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from lokikit.fields import REDACTED
from lokikit.output.safe_text import key_name, text
from lokikit.output.value_writers import write_of

if TYPE_CHECKING:
    from lokikit.output.redaction import SecretNames

MAX_DEPTH = 32
"""Of containers inside containers; what lies deeper becomes `TOO_DEEP`."""
MAX_NODES = 20_000
"""Of one value; a line of `MAX_LINE_BYTES` has no room for more."""
_MAX_PLAIN = 500
"""Values of a container of which no more than the names are looked at."""
TOO_DEEP = "[too deep]"
TOO_MANY = "[too many values]"
CYCLE = "[cycle]"

_NEVER_CHANGED = frozenset({bool, type(None), UUID})
WRITTEN_AS_IS = _NEVER_CHANGED | {str, int, Decimal, timedelta, type(Path())}
"""Types whose values orjson writes as `Walk` does, the last three by `text`; also those that it
refuses: its error is cheaper to wait for than to rule out."""
_CONTAINERS = frozenset({dict, list})


def json_value(value: Any, secrets: SecretNames) -> Any:
    """The value in terms of dict, list, str, int, float, bool and None.

    Values of other types become strings. Cycles, depth and number of values are bounded.
    """
    return Walk(secrets).convert(value, 0)


def is_plain(value: Any, secrets: SecretNames) -> bool:
    """Return True when orjson writes a time, dict or list as `Walk` would: no secret is in it.

    Its containers are few, so that they are no deeper than `MAX_DEPTH`, and none is large.
    """
    if type(value) not in _CONTAINERS:
        return _is_plain_time(value)
    try:
        return _is_plain_container(value, secrets)
    except RuntimeError:  # another thread changed it meanwhile
        return False


def _is_plain_container(value: dict[Any, Any] | list[Any], secrets: SecretNames) -> bool:
    is_spared = secrets.spared.issuperset
    containers: list[Any] = [value]
    for container in containers:  # it grows while it is read
        is_dict = type(container) is dict
        if len(container) > _MAX_PLAIN or (
            not (is_spared(container) or secrets.spares(container))
            if is_dict
            else _names_secret(container, secrets)
        ):
            return False
        for inner in container.values() if is_dict else container:
            kind = type(inner)
            if kind in WRITTEN_AS_IS or (kind is float and inner - inner == 0):
                continue
            if kind in _CONTAINERS and len(containers) < MAX_DEPTH:
                containers.append(inner)
            elif not _is_plain_time(inner):
                return False
    return True


def _names_secret(values: list[Any], secrets: SecretNames) -> bool:
    """Return True for a list that may be the name and the value of a secret."""
    return bool(values) and type(values[0]) is str and secrets.is_secret(values[0])


def _is_plain_time(value: Any) -> bool:
    return type(value) is datetime and (value.tzinfo is None or value.tzinfo is timezone.utc)


def redacted_text(value: Any, secrets: SecretNames) -> str | None:
    """The value as JSON text without its secrets; `None` for a value that holds no secret."""
    walk = Walk(secrets)
    converted = walk.convert(value, 0)
    if not walk.redacted:
        return None
    return converted if isinstance(converted, str) else orjson.dumps(converted).decode()


class Walk:
    """One pass over one value, with the state that bounds it."""

    max_nodes = MAX_NODES
    __slots__ = ("_is_secret", "_nodes_left", "_open", "redacted", "secrets")

    def __init__(self, secrets: SecretNames) -> None:
        self.secrets = secrets
        self.redacted = False
        """True when a secret was replaced."""
        self._is_secret = secrets.is_secret
        self._nodes_left = MAX_NODES
        self._open: set[int] = set()

    def convert(self, value: Any, depth: int) -> Any:
        """The value in JSON terms; never raises."""
        self._nodes_left -= 1
        if self._nodes_left < 0:
            return TOO_MANY
        kind = type(value)
        if kind is str and value.isascii():
            return value
        try:
            return write_of(kind)(self, value, depth)  # type: ignore[arg-type]  # types hash
        except Exception:  # noqa: BLE001 - a stranger's __iter__ or property may raise anything
            return self.mask(text(value))

    def container(
        self, value: Any, depth: int, convert_all: Callable[[Any, int], Any], items: Any
    ) -> Any:
        """A container by `convert_all` of its items, unless it holds itself or lies too deep."""
        address = id(value)
        if address in self._open:
            return CYCLE
        if depth >= MAX_DEPTH:
            return TOO_DEEP
        self._open.add(address)
        try:
            return convert_all(items, depth + 1)
        finally:
            self._open.discard(address)

    def mapping(self, items: Iterable[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        """A dict of the pairs: names of its own for equal keys, secrets replaced."""
        converted: dict[str, Any] = {}
        for key, value in items:
            if self._nodes_left <= 0:
                converted[TOO_MANY] = True
                break
            name = key if type(key) is str and key.isascii() else key_name(key)
            while name in converted:
                name += "_"
            if self._is_secret(name) and self.secrets.hides(name, value):
                converted[name] = self.redact()
            elif type(value) in _NEVER_CHANGED:
                self._nodes_left -= 1
                converted[name] = value
            else:
                converted[name] = self.convert(value, depth)
        if "value" in converted:
            self._redact_named_value(converted)
        return converted

    def _redact_named_value(self, converted: dict[str, Any]) -> None:
        """`{"name": "DB_PASSWORD", "value": "x"}`, as headers and environments are written."""
        for key in ("name", "key"):
            name = converted.get(key)
            if isinstance(name, str) and self.secrets.hides(name, converted["value"]):
                converted["value"] = self.redact()

    def sequence(self, values: Iterable[Any], depth: int) -> list[Any]:
        """A list of the values; pairs of a secret's name and value keep the name alone."""
        converted: list[Any] = []
        for value in values:
            if self._nodes_left <= 0:
                converted.append(TOO_MANY)
                break
            if type(value) is list and self.is_secret_pair(value):
                converted.append([key_name(value[0]), self.redact()])
            else:
                converted.append(self.convert(value, depth))
        return converted

    def is_secret_pair(self, pair: Sequence[Any]) -> bool:
        """Return True for a name and its value, as headers are kept, when the value is a secret."""
        if len(pair) != 2:  # noqa: PLR2004 - a pair has two
            return False
        name, value = pair
        return isinstance(name, (str, bytes)) and self.secrets.hides(key_name(name), value)

    def redact(self) -> str:
        """What stands in place of a secret; `redacted` is True from then on."""
        self.redacted = True
        return REDACTED

    def mask(self, shown: str) -> str:
        """The text with the secrets in it replaced."""
        masked = self.secrets.mask(shown)
        self.redacted = self.redacted or masked != shown
        return masked
