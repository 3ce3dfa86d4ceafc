"""What becomes of an event that is posted, where Fluent Bit cannot keep it as it is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from lokikit.delivery.entry import MAX_VALUE_BYTES
from lokikit.fields import LABEL_FIELDS, LABEL_SERVICE, METADATA_FIELDS, UNKNOWN_SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LEVELS = 63
"""Objects and arrays within each other, the event itself among them."""
MAX_CHARACTERS = 256
"""Of a value that is longer than 1,024 bytes and no ASCII."""
_DIGITS = 16
_SURROGATE = re.compile("[\ud800-\udfff]")


def event_of(line: bytes) -> dict[str, Any] | None:
    """The event that a line is, nothing when it is no JSON object in UTF-8."""
    try:
        value = json.loads(line.decode(), parse_constant=_refuse)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def fits(value: Any, levels: int = MAX_LEVELS) -> bool:
    """Whether it is nested no deeper than this."""
    inner = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list)):
        return True
    return levels > 0 and all(fits(one, levels - 1) for one in inner)


def rewritten(value: Any) -> Any:
    """An event as the agent writes it: whole numbers of 64 bits, 16 digits, no lone surrogate."""
    if isinstance(value, dict):
        return {rewritten(name): rewritten(one) for name, one in value.items()}
    if isinstance(value, list):
        return [rewritten(one) for one in value]
    if isinstance(value, str):
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if type(value) is int and -(2**63) <= value < 2**64:
        return value
    return _number(float(value)) if type(value) in (int, float) else value


def _number(value: float) -> float:
    whole = value.is_integer() and abs(value) < 2**63
    return value if whole else float(f"{value:.{_DIGITS}g}")


def canonical(value: Any) -> str:
    """Equal texts for events that are equal as JSON, where 1 is 1.0."""
    return json.dumps(_in_short(value), sort_keys=True)


def _in_short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _in_short(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_in_short(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def labels_of(event: dict[str, Any], labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of a posted event, beside those of the same line by another way."""
    found = _words(event, LABEL_FIELDS, labels, "\N{REPLACEMENT CHARACTER}.*")
    return {LABEL_SERVICE: UNKNOWN_SERVICE, **found}


def metadata_of(event: dict[str, Any], metadata: Mapping[str, str]) -> dict[str, str]:
    """The metadata of a posted event, beside that of the same line by another way."""
    own = {name: name for name in METADATA_FIELDS}
    rest = {name: value for name, value in metadata.items() if name not in own}
    return {**rest, **_words(event, own, metadata, "(?!)")}


def _words(
    event: dict[str, Any], fields: Mapping[str, str], values: Mapping[str, str], ends_at: str
) -> dict[str, str]:
    """Strings alone: of a long one that is no ASCII its begin, and nothing from `ends_at` on."""
    found = {}
    for name, field in fields.items():
        word = event.get(field)
        if not isinstance(word, str) or not word:
            continue
        if len(word.encode("utf-8", "replace")) > MAX_VALUE_BYTES and not word.isascii():
            found[name] = word[:MAX_CHARACTERS]
        elif (safe := rewritten(word)) != word:
            found[name] = re.sub(ends_at, "", safe, flags=re.DOTALL)
        else:
            found[name] = values[name]
    return found
