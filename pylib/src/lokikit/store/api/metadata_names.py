"""Names of structured metadata as Loki stores them: `bad-key` becomes `bad_key`."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from itertools import chain

from lokikit.store.errors import PushError

_PLAIN = re.compile(r"[a-zA-Z](?:_?[a-zA-Z0-9])*_?|__\w+__", re.ASCII)
_BAD = re.compile(r"[^a-zA-Z0-9_]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_UNDERSCORES = re.compile(r"_{2,}")


@functools.lru_cache(maxsize=4096)
def normalize_name(name: str) -> str:
    """The name as it is stored: letters, digits and single underscores.

    Raises:
        PushError: nothing is left of it.
    """
    if _PLAIN.fullmatch(name):
        return name
    if not name:
        raise PushError("label name is empty")
    normalized = _UNDERSCORES.sub("_", _BAD.sub("_", name))
    if normalized[0].isdigit():
        normalized = f"key_{normalized}"
    if normalized == "_":
        raise PushError(f'normalization for label name "{name}" resulted in invalid name "_"')
    return normalized


def normalize_all(metadata: Sequence[dict[str, str]]) -> Sequence[dict[str, str]]:
    """The metadata of some entries as it is stored: mostly as it came.

    Raises:
        PushError: nothing is left of a name.
    """
    values = list(chain.from_iterable(map(dict.values, metadata)))
    is_stored_so = all(values) and _REPLACEMENT not in "".join(values)
    if is_stored_so and not any(map(_renamed, set(map(tuple, metadata)))):
        return metadata
    return list(map(normalize_metadata, metadata))


def normalize_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """The metadata as it is stored; of names that become equal, the last changed one counts.

    Loki writes a space where a value has U+FFFD, and leaves empty values out.

    Raises:
        PushError: nothing is left of a name.
    """
    if renamed := _renamed(tuple(metadata)):
        metadata = {name: metadata[key] for name, key in renamed}
    return {name: value.replace(_REPLACEMENT, " ") for name, value in metadata.items() if value}


@functools.lru_cache(maxsize=4096)
def _renamed(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Stored and pushed names; nothing when they are the same."""
    ordered = sorted(names, key=lambda name: normalize_name(name) != name)
    stored = {normalize_name(name): name for name in ordered}
    return () if stored.keys() == set(names) else tuple(stored.items())
