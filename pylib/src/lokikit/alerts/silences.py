"""Silences: for a while no message is sent about the alerts of a rule.

They have a file of their own beside the state, so that the command line and the page can write
them while `lokikit alerts` runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from filelock import FileLock

from lokikit.alerts.state_file import make_folder
from lokikit.atomic_file import replace_file
from lokikit.errors import SettingsError
from lokikit.fields import LABEL_SERVICE
from lokikit.times import NS_PER_S

_FILE = "silences.json"
EVERY_RULE = "all"
_LONGEST_NS = 366 * 24 * 3600 * NS_PER_S
_RULE = "rule"
"""Label of the kit's rules: for a rule that is set for one service, the uid of that for all."""


@dataclass(frozen=True)
class Silence:
    """A silence.

    Args:
        number: its id for `lift`.
        rule: uid of the rule, or `all`.
        service: the service; empty for every service.
        until_ns: its end, nanoseconds since 1970.
        made_ns: its start.
    """

    number: int
    rule: str
    service: str
    until_ns: int
    made_ns: int

    def covers(self, rule: str, labels: Mapping[str, str], now_ns: int) -> bool:
        """Return True when an alert of that rule, by its uid, with these labels is silenced now."""
        return (
            now_ns < self.until_ns
            and self.rule in {EVERY_RULE, rule, labels.get(_RULE, rule)}
            and self.service in {"", labels.get(LABEL_SERVICE, "")}
        )


def read_silences(folder: Path, now_ns: int) -> list[Silence]:
    """Return the silences that have not ended, ordered by their end.

    Raises:
        SettingsError: the file of silences cannot be read.
    """
    file = folder / _FILE
    try:
        held = [Silence(**one) for one in orjson.loads(file.read_bytes())]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(f"cannot read the silences in {file}: {error}; remove it.") from error
    return sorted(
        (one for one in held if now_ns < one.until_ns), key=lambda one: (one.until_ns, one.number)
    )


def add_silence(folder: Path, rule: str, service: str, until_ns: int, now_ns: int) -> Silence:
    """Silence a rule, by its uid or `all`, for a service, or without a name for every service.

    Raises:
        SettingsError: the file of silences cannot be read, or the silence lasts no time or more
            than a year.
    """
    if not 0 < until_ns - now_ns <= _LONGEST_NS:
        raise SettingsError("a silence lasts from 1s to a year: use 30m, 2h or 1d.")
    with _changed(folder):
        held = read_silences(folder, now_ns)
        number = max((one.number for one in held), default=0) + 1
        made = Silence(number, rule, service, until_ns, now_ns)
        _write(folder, [*held, made])
    return made


def lift_silence(folder: Path, number: int, now_ns: int) -> Silence:
    """End the silence of that number, and return it.

    Raises:
        SettingsError: there is no silence of that number.
    """
    with _changed(folder):
        held = {one.number: one for one in read_silences(folder, now_ns)}
        if number not in held:
            known = ", ".join(map(str, sorted(held))) or "none"
            raise SettingsError(f"there is no silence {number}: there is {known}.")
        lifted = held.pop(number)
        _write(folder, held.values())
    return lifted


@contextmanager
def _changed(folder: Path) -> Iterator[None]:
    make_folder(folder)
    with FileLock(folder / f"{_FILE}.lock"):
        yield


def _write(folder: Path, silences: Iterable[Silence]) -> None:
    data = orjson.dumps([asdict(one) for one in silences], option=orjson.OPT_INDENT_2)
    replace_file(folder / _FILE, data, durable=True)
