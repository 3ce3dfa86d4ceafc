"""The contract over each input of the agent, by the table of cases that `ship` has too."""

from __future__ import annotations

import contextlib
import re
import shutil
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from tests.agent.container_files import DockerFile, parts
from tests.agent.feeding import Driver
from tests.agent.running import HOST, RunningAgent
from tests.foreign import Case, Stored, cases
from tests.stack.shipping import append, stored, stored_of_case
from tests.waiting import eventually

from lokikit import fields
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from lokikit.query.results import LogEntry

END = "the container ends"
MOMENT = datetime.now(timezone.utc)
LONG = ("long", "x" * 200_000), ("long-too", "\N{EURO SIGN}" * 60_000)
ENTRIES = {"driver": "docker", "file": "native", "docker-files": "docker-files"}


class Carrier(Protocol):
    """A container or a file."""

    def send(self, line: bytes) -> None:
        """Print one line."""


class File:
    """A plain file, whose name is its service."""

    def __init__(self, folder: Path, service: str) -> None:
        self._path = folder / f"{service}.log"

    def send(self, line: bytes) -> None:
        """Print one line."""
        append(self._path, [line])


class Container:
    """One container with Docker's fluentd driver, which marks the parts of a long line."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def send(self, line: bytes) -> None:
        """Print one line."""
        pieces, marked = parts(line), uuid.uuid4().hex * 2
        for number, piece in enumerate(pieces, 1):
            last = "true" if number == len(pieces) else "false"
            self._driver.send(
                piece,
                **{
                    "partial_message": "true",
                    "partial_id": marked,
                    "partial_ordinal": str(number),
                    "partial_last": last,
                }
                if len(pieces) > 1
                else {},
            )


def carriers(
    way: str, agent: RunningAgent, folder: Path, names: list[str], closing: ExitStack
) -> list[Carrier]:
    """One for each name."""
    if way == "file":
        return [File(folder, name) for name in names]
    if way == "docker-files":
        return [DockerFile(folder, name) for name in names]
    port = agent.ports["FLUENTBIT_FORWARD_PORT"]
    drivers = [closing.enter_context(contextlib.closing(Driver(port, name))) for name in names]
    return [Container(driver) for driver in drivers]


def all_cases() -> dict[str, Case]:
    """The shared table, and lines that runtimes cut."""
    long = (Case(name, (text.encode(),), (Stored(text),)) for name, text in LONG)
    return {case.name: case for case in (*cases(MOMENT), *long)}


@dataclass(frozen=True)
class Carried:
    """What came of the cases over one input.

    Args:
        cases: by their names.
        entries: of each case, in their order.
    """

    cases: dict[str, Case]
    entries: dict[str, list[LogEntry]]


@pytest.fixture(scope="module", params=ENTRIES)
def carried(
    request: pytest.FixtureRequest,
    fluent_bit: Path,
    loki_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Carried:
    """All cases, each printed by a container of its own; they print in turns, a line each.

    The agent waits for the next line for as long as it takes, where its timer would make of a busy
    machine's traceback two.
    """
    folder, prefix = tmp_path_factory.mktemp("contract"), uuid.uuid4().hex[:8]
    written = folder / "written"
    written.mkdir()
    variables = {
        "FLUENTBIT_FILES": f"{written}/*.log",
        "FLUENTBIT_CONTAINERS": str(written),
    }
    agent = RunningAgent(fluent_bit, folder, loki_url, ENTRIES[request.param], variables)
    patient_configuration(agent, folder / "fluentbit")
    agent.start()
    all_of_them = all_cases()
    names = [f"{prefix}-{name}" for name in all_of_them]
    printed = [(*case.lines, END.encode()) for case in all_of_them.values()]
    with ExitStack() as closing:
        closing.callback(agent.kill)
        printing = carriers(request.param, agent, written, names, closing)
        for turn in zip_longest(*printed):
            for carrier, line in zip(printing, turn, strict=True):
                if line is not None:
                    carrier.send(line)

        def find() -> dict[str, list[LogEntry]]:
            return {
                name: [
                    entry
                    for entry in stored_of_case(loki_url, f"{prefix}-{name}", case)
                    if entry.line != END
                ]
                for name, case in all_of_them.items()
            }

        def is_there() -> bool:
            return all(
                len(found) >= len(all_of_them[name].stored) for name, found in find().items()
            )

        with contextlib.suppress(AssertionError):  # the tests tell better what is missing
            eventually(is_there, within_s=60)
        return Carried(all_of_them, find())


def patient_configuration(agent: RunningAgent, folder: Path) -> None:
    """Give it a copy of its configuration, in which it holds lines back for an hour."""
    shutil.copytree(kit_root() / "fluentbit", folder)
    for path in folder.rglob("*.yaml"):
        text = path.read_text()
        path.write_text(re.sub(r"(flush_ms|flush_timeout): 2000", r"\1: 3600000", text))
    agent.command[-1] = str(folder / Path(agent.command[-1]).name)


@pytest.mark.parametrize("name", all_cases())
def test_case(name: str, carried: Carried) -> None:
    """Lines, order, labels, metadata, times and levels in Loki are those of the table."""
    entries, expected_entries = carried.entries[name], carried.cases[name].stored
    assert [entry.line for entry in entries] == [one.line for one in expected_entries]
    for entry, expected in zip(entries, expected_entries, strict=True):
        metadata = dict(entry.metadata)
        assert metadata.pop(fields.HOST) == HOST
        assert metadata.pop(fields.DETECTED_LEVEL) == expected.level
        assert {k: v for k, v in metadata.items() if k not in fields.PLATFORM_METADATA} == (
            expected.metadata
        )
        assert {**entry.labels, **expected.labels} == entry.labels
        if expected.time_ns is None:
            assert entry.timestamp_ns >= int(MOMENT.timestamp() * 10**6) * 1000
        else:
            assert entry.timestamp_ns == expected.time_ns


def test_a_traceback_that_nothing_follows_arrives(
    fluent_bit: Path, loki_url: str, tmp_path: Path
) -> None:
    """What may go on is held for some seconds, not until the next line."""
    service = f"held-{uuid.uuid4().hex[:8]}"
    agent = RunningAgent(fluent_bit, tmp_path, loki_url, "docker", {}).start()
    with contextlib.closing(Driver(agent.ports["FLUENTBIT_FORWARD_PORT"], service)) as driver:
        driver.send("Traceback (most recent call last):")
        (entry,) = eventually(lambda: stored(loki_url, service), within_s=60)
    agent.kill()
    assert entry.line == "Traceback (most recent call last):"
