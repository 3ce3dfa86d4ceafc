"""Programs that log through `LokiHandler`, and what Loki has of their numbered lines."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.programs.writer import Writing
from tests.waiting import eventually

from lokikit.query.client import LogEntry, Loki

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

REPOSITORY = Path(__file__).parents[2]
MAX_PEAK_KB = 64 * 1024
"""What a program may need beyond its bare self in any fault."""

Numbered = tuple[int, int]
"""Who wrote a line, and which of its lines it is."""

_SOAK_S = 1800
_SPAN_NS = 5 * 3_600_000_000_000
_NUMBERS = re.compile(r'"message":"line (\d+) (\d+)')


def sizes(short: Any, full: Any) -> list[Any]:
    """Parameters of one test: small in `make test`, as large as promised in `make soak`."""
    marks = [pytest.mark.soak, pytest.mark.timeout(_SOAK_S)]
    return [pytest.param(short, id="short"), pytest.param(full, id="full", marks=marks)]


class Program:
    """A Python program of the test's, whose stdout holds a JSON object a line.

    Args:
        folder: takes its output.
        arguments: of `python`.
        environment: its variables, those of the test unless given.
    """

    def __init__(
        self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        name = uuid.uuid4().hex
        self._stdout = folder / f"{name}.out"
        self._stderr = folder / f"{name}.err"
        with self._stdout.open("wb") as stdout, self._stderr.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=stderr,
                env=environment,
            )

    def said(self) -> str:
        """Its stderr so far."""
        return self._stderr.read_text(errors="replace")

    def lines(self) -> list[str]:
        """The whole lines of its stdout so far."""
        return self._stdout.read_text().rpartition("\n")[0].splitlines()

    def report(self, event: str, within_s: float = 60) -> dict[str, Any]:
        """What it tells of `event`, waited for."""

        def find() -> dict[str, Any] | None:
            ended = self.process.poll() is not None
            for line in self.lines():
                if line.startswith("{") and (content := json.loads(line))["event"] == event:
                    return dict(content)
            assert not ended, f"ended with {self.process.returncode}: {self.said()[-3000:]}"
            return None

        return eventually(find, within_s)

    def end(self, number: int | None = None, within_s: float = 60) -> int:
        """Its exit code, after a signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(within_s)


class Programs:
    """Starts programs; ends those that are left at the end of the test.

    Args:
        folder: takes their output.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Program] = []

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Program:
        """Start `python` with these arguments."""
        program = Program(self._folder, *arguments, environment=environment)
        self._started.append(program)
        return program

    def write(self, writing: Writing) -> Program:
        """Start a writer."""
        return self.run("-m", "tests.programs.writer", writing.as_argument())

    def end_all(self) -> None:
        """End what still runs."""
        for program in self._started:
            if program.process.poll() is None:
                program.process.kill()
            program.end()


def new_service() -> str:
    """A service that no other test uses."""
    return f"push-{uuid.uuid4().hex[:12]}"


def stored(url: str, service: str) -> Iterator[LogEntry]:
    """All that Loki has of `service`, by time."""
    now_ns = time.time_ns()
    query = f'{{service_name="{service}"}}'
    return Loki(url, timeout_s=60).query_range(query, now_ns - _SPAN_NS, now_ns + _SPAN_NS)


def stored_numbers(url: str, service: str) -> Counter[Numbered]:
    """How often Loki has each numbered line."""
    found = (_NUMBERS.search(entry.line) for entry in stored(url, service))
    return Counter((int(one[1]), int(one[2])) for one in found if one)


def numbered(writers: Mapping[int, int]) -> Counter[Numbered]:
    """Each line of some writers once: writer -> how many lines."""
    return Counter((writer, number) for writer, count in writers.items() for number in range(count))


def assert_exact(url: str, service: str, writers: Mapping[int, int]) -> None:
    """Fail unless Loki has each of these lines once, and no other."""
    assert_same(stored_numbers(url, service), numbered(writers))


def assert_same(found: Counter[Numbered], expected: Counter[Numbered]) -> None:
    """Fail with how many lines are lost, and how many are there too often."""
    lost, twice = expected - found, found - expected
    assert not lost, f"{lost.total()} of {expected.total()} lost: {_some(lost)}"
    assert not twice, f"{twice.total()} of {expected.total()} too many: {_some(twice)}"


def _some(numbers: Iterable[Numbered]) -> str:
    ordered = sorted(numbers)
    return f"{ordered[:5]} … {ordered[-5:]}"


def spool_bytes(folder: Path) -> int:
    """What a spool takes on disk."""
    return sum(_size_bytes(path) for path in folder.rglob("*"))


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:  # delivered meanwhile
        return 0


def recover(programs: Programs, url: str, spool_dir: Path) -> None:
    """Have new processes, of another service, take over a spool until nothing is left in it.

    One may not do: what it has not sent within the deadline of its exit waits for the next.
    """

    def is_empty() -> bool:
        if not any(spool_dir.glob("*.spool")):
            return True
        writing = Writing(url, new_service(), 1, handler={"spool_dir": str(spool_dir)})
        programs.write(writing).report("closed", 120)
        return False

    eventually(is_empty, 120)
