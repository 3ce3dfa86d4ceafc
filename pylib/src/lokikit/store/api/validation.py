"""Checks the entries of a push against the limits, finds their levels, and words the refusals."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING

from lokikit.store.levels import LevelDetector
from lokikit.store.logql.labels_builder import CLASH_SUFFIX
from lokikit.store.logql.quoting import format_labels
from lokikit.store.segments.schema import PushedEntry, make_entry
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.store.api.protobuf import Entry
    from lokikit.store.api.push import PushedStream
    from lokikit.store.limits import StoreLimits

_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_MAX_CHARACTER_BYTES = 4


@dataclass
class Checked:
    """The result of the checks of a push.

    Args:
        entries: the entries to store.
        refusals: text -> number of entries that were refused with it.
        size_bytes: of lines and metadata to store.
    """

    entries: list[PushedEntry] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    size_bytes: int = 0

    def refusal_text(self) -> str:
        """The refusals as Loki lists them."""
        total = sum(self.refusals.values())
        if total == 1:
            return next(iter(self.refusals))
        return "; ".join(f"{count} errors like: {text}" for text, count in self.refusals.items())


class Validator:
    """Checks pushes."""

    def __init__(self, limits: StoreLimits, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._limits = limits
        self._clock_ns = clock_ns
        detector = LevelDetector(limits.log_level_fields, limits.log_level_max_depth)
        self._detect = detector.detect_all if limits.discover_log_levels else _no_levels
        self._short_characters = limits.max_line_bytes // _MAX_CHARACTER_BYTES

    def check(self, streams: Iterable[PushedStream]) -> Checked:
        """The entries to store, each with its level, and the refusals of the others."""
        checked = Checked()
        now_ns = self._clock_ns()
        oldest_ns = now_ns - self._limits.reject_old_samples_max_age_ns
        if not self._limits.reject_old_samples:
            oldest_ns = -(1 << 63)
        newest_ns = now_ns + self._limits.creation_grace_period_ns
        for stream in streams:
            if not stream.entries:
                continue
            if problem := self._label_problem(stream.labels):
                checked.refusals[problem] += 1
                continue
            self._check_entries(stream, oldest_ns, newest_ns, checked)
        return checked

    def _check_entries(
        self, stream: PushedStream, oldest_ns: int, newest_ns: int, checked: Checked
    ) -> None:
        labels, entries = stream.labels, stream.entries
        if not self._are_within(stream, oldest_ns, newest_ns):
            entries = list(self._accepted(stream, oldest_ns, newest_ns, checked.refusals))
        if entries:
            times, lines, metadata = zip(*entries, strict=True)
            levels = self._detect(lines, metadata, labels)
            columns = (repeat(labels), times, lines, metadata, levels)
            checked.entries += map(make_entry, zip(*columns, strict=False))
            texts = chain(lines, chain.from_iterable(metadata), _values(metadata))
            checked.size_bytes += sum(map(len, texts))

    def _are_within(self, stream: PushedStream, oldest_ns: int, newest_ns: int) -> bool:
        """True when no entry can be beyond a limit: the normal case, and quickly seen."""
        times, lines, metadata = zip(*stream.entries, strict=True)
        names: set[str] = set().union(*metadata)
        longest = max(map(len, _values(metadata)), default=0)
        size = sum(map(len, names)) + longest * len(names)
        return (
            oldest_ns <= min(times)
            and max(times) <= newest_ns
            and max(map(len, lines)) <= self._short_characters
            and names.isdisjoint(stream.labels)
            and len(names) <= self._limits.max_structured_metadata_count
            and size * _MAX_CHARACTER_BYTES <= self._limits.max_structured_metadata_bytes
        )

    def _accepted(
        self, stream: PushedStream, oldest_ns: int, newest_ns: int, refusals: Counter[str]
    ) -> Iterator[Entry]:
        """The entries that are within the limits, cut and renamed where they have to be."""
        labels = stream.labels
        problem_at = functools.lru_cache(partial(_time_problem, labels, oldest_ns=oldest_ns))
        for time_ns, line, pushed in stream.entries:
            if time_ns < oldest_ns or time_ns > newest_ns:
                refusals[problem_at(time_ns // NS_PER_S)] += 1
                continue
            metadata = _renamed(pushed, labels)
            if problem := self._metadata_problem(labels, metadata):
                refusals[problem] += 1
                continue
            cut = self._cut(line)
            if cut is None:
                refusals[_length_problem(labels, line, self._limits)] += 1
                continue
            yield time_ns, cut, metadata

    def _label_problem(self, labels: Mapping[str, str]) -> str:
        limits = self._limits
        if len(labels) > limits.max_label_names_per_series:
            return (
                f"entry for stream '{format_labels(labels)}' has {len(labels)} label names; "
                f"limit {limits.max_label_names_per_series}"
            )
        for name, value in labels.items():
            if len(name.encode()) > limits.max_label_name_length:
                return f"stream '{format_labels(labels)}' has label name too long: '{name}'"
            if len(value.encode()) > limits.max_label_value_length:
                return f"stream '{format_labels(labels)}' has label value too long: '{value}'"
        return ""

    def _metadata_problem(self, labels: Mapping[str, str], metadata: Mapping[str, str]) -> str:
        limits = self._limits
        if len(metadata) > limits.max_structured_metadata_count:
            return (
                f"stream '{format_labels(labels)}' has too many structured metadata labels: "
                f"'{len(metadata)}', limit: '{limits.max_structured_metadata_count}'. Please see "
                "`limits_config.max_structured_metadata_entries_count` or contact your Loki "
                "administrator to increase it"
            )
        texts = [*metadata, *metadata.values()]
        if sum(map(len, texts)) * _MAX_CHARACTER_BYTES <= limits.max_structured_metadata_bytes:
            return ""
        size = len("".join(texts).encode())
        if size <= limits.max_structured_metadata_bytes:
            return ""
        return (
            f"stream '{format_labels(labels)}' has structured metadata too large: '{size}' bytes, "
            f"limit: '{limits.max_structured_metadata_bytes}' bytes. Please see "
            "`limits_config.max_structured_metadata_size` or contact your Loki administrator to "
            "increase it"
        )

    def _cut(self, line: str) -> str | None:
        """The line, cut to the limit where it is longer; None where that is a reason to refuse."""
        if len(line) <= self._short_characters:
            return line
        data = line.encode("utf-8", "replace")
        if len(data) <= self._limits.max_line_bytes:
            return line
        if not self._limits.max_line_size_truncate:
            return None
        return data[: self._limits.max_line_bytes].decode("utf-8", "ignore")


def _no_levels(
    lines: Sequence[str], _metadata: Sequence[Mapping[str, str]], _labels: Mapping[str, str]
) -> list[str | None]:
    return [None] * len(lines)


def _values(metadata: Sequence[dict[str, str]]) -> Iterator[str]:
    return chain.from_iterable(map(dict.values, metadata))


def _renamed(metadata: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    """The metadata with names apart from those of labels, as all of Loki's answers have them."""
    return {
        f"{name}{CLASH_SUFFIX}" if name in labels else name: value
        for name, value in metadata.items()
    }


def _time_problem(labels: Mapping[str, str], seconds: int, oldest_ns: int) -> str:
    stream = format_labels(labels)
    if seconds >= oldest_ns // NS_PER_S + 1:
        return f"entry for stream '{stream}' has timestamp too new: {_shown(seconds)}"
    return (
        f"entry for stream '{stream}' has timestamp too old: {_shown(seconds)}, "
        f"oldest acceptable timestamp is: {_shown(oldest_ns // NS_PER_S)}"
    )


def _shown(seconds: int) -> str:
    seconds = min(max(seconds, _FIRST_SECOND), _LAST_SECOND)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")


def _length_problem(labels: Mapping[str, str], line: str, limits: StoreLimits) -> str:
    return (
        f"max entry size {limits.max_line_bytes} bytes exceeded for stream "
        f"'{format_labels(labels)}' while adding an entry with length "
        f"{len(line.encode('utf-8', 'replace'))} bytes"
    )
