"""Files that Docker writes of its containers, for an agent that follows them."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tests.stack.shipping import append

if TYPE_CHECKING:
    from pathlib import Path

PART_BYTES = 16 * 1024
"""Docker cuts lines at this."""


def parts(line: bytes) -> list[bytes]:
    """The pieces that Docker makes of a line; one of a short line."""
    return [line[start:][:PART_BYTES] for start in range(0, max(1, len(line)), PART_BYTES)]


class DockerFile:
    """What Docker's json-file driver writes for one container.

    Args:
        folder: of all containers.
        container: its name, which the driver's option `tag` puts into the lines.
    """

    def __init__(self, folder: Path, container: str) -> None:
        self._container = container
        name = uuid.uuid4().hex * 2
        self._path = folder / name / f"{name}-json.log"
        self._path.parent.mkdir(parents=True)

    def send(self, line: bytes) -> None:
        """Write one line."""
        # A character that Docker cuts into two is lost to JSON, so none is cut here.
        text, size = f"{line.decode()}\n", PART_BYTES // 4
        for start in range(0, len(text), size):
            record = {
                "log": text[start:][:size],
                "stream": "stdout",
                "attrs": {"tag": self._container},
                "time": _now(),
            }
            append(self._path, [json.dumps(record, ensure_ascii=False).encode()])

    def rotate(self) -> None:
        """Begin a new file, as the driver does with `max-file: 3`."""
        first, second = (self._path.with_name(f"{self._path.name}.{number}") for number in (1, 2))
        if first.exists():
            first.replace(second)
        self._path.rename(first)


def _now() -> str:
    """With nanoseconds, as Go writes it."""
    return f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}000Z"
