"""The streams of a store: each set of labels has a number, kept in `streams.log`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

import orjson

from lokikit.fields import LABEL_SERVICE, UNKNOWN_SERVICE
from lokikit.store.segments.append_log import AppendLog, cut_torn_end, open_unbuffered, read_log

if TYPE_CHECKING:
    from lokikit.store.segments.records import Damage

Labels = tuple[tuple[str, str], ...]
STREAMS_LOG = "streams.log"


def sorted_labels(labels: Mapping[str, str]) -> Labels:
    """The labels in the order that makes equal sets equal."""
    return tuple(sorted(labels.items()))


class Streams:
    """The numbers of the streams and their labels.

    Attributes:
        damages: what in the log was damaged.
    """

    def __init__(self, folder: Path, opened: Callable[[Path], BinaryIO] = open_unbuffered) -> None:
        self.path = folder / STREAMS_LOG
        self._lock = threading.Lock()
        self._numbers: dict[Labels, int] = {}
        self._labels: dict[int, Mapping[str, str]] = {}
        self._next = 0
        self.damages: list[Damage] = []
        self._read()
        self._log = AppendLog(self.path, opened)

    def _read(self) -> None:
        if not self.path.exists():
            return
        payloads, damages = read_log(self.path)
        self.damages = cut_torn_end(self.path, damages)
        for payload in payloads:
            for number, labels in orjson.loads(payload):
                self._know(number, tuple(map(tuple, labels)))

    def _know(self, number: int, labels: Labels) -> None:
        self._numbers.setdefault(labels, number)
        self._labels[number] = MappingProxyType(dict(labels))
        self._next = max(self._next, number + 1)

    def numbers(self, wanted: Sequence[Labels]) -> dict[Labels, int]:
        """The number of each of these streams; new ones are on the disk when it returns.

        Raises:
            OSError: a new stream could not be written.
        """
        with self._lock:
            missing = [labels for labels in dict.fromkeys(wanted) if labels not in self._numbers]
            if missing:
                new = [(self._next + i, labels) for i, labels in enumerate(missing)]
                self._log.append([orjson.dumps(new)])
                for number, labels in new:
                    self._know(number, labels)
            return {labels: self._numbers[labels] for labels in wanted}

    def restore(self, known: Mapping[int, Mapping[str, str]]) -> None:
        """Take back the streams that a damaged log no longer has, from the segments."""
        with self._lock:
            lost = [
                (number, sorted_labels(labels))
                for number, labels in known.items()
                if number not in self._labels
            ]
            if lost:
                self._log.append([orjson.dumps(lost)])
                for number, labels in lost:
                    self._know(number, labels)

    def name_unknown(self, numbers: Iterable[int]) -> None:
        """Set labels for stream numbers of rows whose record in the log is lost."""
        unknown = sorted(set(numbers) - self._labels.keys())
        self.restore({n: {LABEL_SERVICE: UNKNOWN_SERVICE, "lost_stream": str(n)} for n in unknown})

    def labels(self, number: int) -> Mapping[str, str]:
        """The labels of a stream."""
        return self._labels[number]

    def all(self) -> dict[int, Mapping[str, str]]:
        """Number -> labels of every stream."""
        return dict(self._labels)

    def __len__(self) -> int:
        return len(self._labels)

    def close(self) -> None:
        """Close the log."""
        self._log.close()
