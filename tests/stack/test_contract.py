"""The main job: events of real services, stdout -> ship -> Loki -> query, compared one by one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
import pytest
from tests.stack.conftest import free_ports
from tests.stack.demo import DEMO, answers
from tests.stack.pushing import sizes
from tests.stack.shipping import Ship
from tests.waiting import eventually

from lokikit import fields
from lokikit.delivery.entry import MAX_VALUE_BYTES
from lokikit.query.client import Loki

if TYPE_CHECKING:
    from lokikit.query.results import LogEntry

TASKS = 28
GENERATORS = 4
HOST = "test-host"

GENERATOR = """
import logging, os, random
import lokikit
chance = random.Random(os.environ["SEED"])
lokikit.setup_json_logging(level="debug", log_format="json")
loggers = [logging.getLogger(name) for name in ("a", "a.b", "c")]
plain = [chr(code) for code in range(1, 0x250)]
special = "\\t\\n\\"\\\\\\x7fä€\\u2028\\U0001F600\\ud800"
signs = plain + list(special) * len(plain)
def word():
    return "".join(chance.choices(signs, k=chance.choice([0, 1, 10, 100, 1000])))
def value():
    return chance.choice([word(), 2**70, float("nan"), -0.5, None, True, [word(), {"token": 1}],
        {word(): word()}, b"\\xff", object, "same"])
for number in range(int(os.environ["COUNT"])):
    with lokikit.bound(request_id=chance.choice(["same", word()]), trace_id=f"{number:032x}"):
        level = chance.choice([10, 20, 30, 40, 50])
        extra = {"n": number, word()[:20]: value(), "service": value(), "labels": value()}
        message = word() if number % 3 else "same"
        if number % 100 == 7:
            message = "x" * chance.choice([20_000, 100_000, 300_000])
        loggers[number % 3].log(level, "%s", message, extra=extra, exc_info=number % 50 == 0)
"""


class Run:
    """What the services wrote, line by line, and what Loki has of it.

    Args:
        events: how many there are at least.
        written: the lines of all files, without their line ends.
        stored: the entries of Loki.
    """

    def __init__(self, events: int, written: list[bytes], stored: list[LogEntry]) -> None:
        self.events = events
        self.written = written
        self.stored = stored


@pytest.fixture(scope="module", params=sizes(2_000, 10_000))
def run(
    request: pytest.FixtureRequest, loki_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """So many events and more: shop, customers, jobs, and four generators of the unusual."""
    events: int = request.param
    folder = tmp_path_factory.mktemp("services")
    env = f"contract-{uuid4().hex[:8]}"
    (port,) = free_ports(1)
    start_ns = time.time_ns()
    environ = {
        **os.environ,
        "ENV": env,
        "LOG_FORMAT": "json",
        "DEMO_PORT": str(port),
        "DEMO_REQUESTS": str(events // 20),
        "DEMO_REQUESTS_PER_S": "2000",
        "DEMO_SLOW_S": "0.05",
        "DEMO_TASKS": str(TASKS),
        "DEMO_TASKS_PER_S": "100",
        "DEMO_TASK_LIMIT_S": "2",
    }

    def start(service: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        with (folder / f"{service}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=DEMO,
                env={**environ, "SERVICE_NAME": service, **more},
                stdout=log,
                stderr=log,
            )

    ship = Ship(loki_url, folder / "ship", str(folder / "*.log")).start()
    shop = start("shop", "-m", "gunicorn", "-c", "gunicorn.conf.py", "shop:app")
    try:
        eventually(lambda: answers(port))
        count = str(events * 9 // 10 // GENERATORS)
        finite = [start("traffic", "traffic.py"), start("jobs", "jobs.py")]
        finite += [
            start(f"generator-{seed % 2}", "-c", GENERATOR, SEED=str(seed), COUNT=count)
            for seed in range(GENERATORS)
        ]
        assert [one.wait(240) for one in finite] == [0] * len(finite)
    finally:
        shop.terminate()
        shop.wait(60)
    files = [path.read_bytes() for path in sorted(folder.glob("*.log"))]
    written = [line for data in files for line in data.split(b"\n")[:-1]]
    eventually(lambda: ship.sent() >= len(written), within_s=120)
    assert ship.end() == 0
    query = f'{{env="{env}"}}'
    return Run(events, written, list(Loki(loki_url).query_range(query, start_ns, time.time_ns())))


def test_there_are_as_many_events(run: Run) -> None:
    """And the largest among them were cut to the limit of a line."""
    assert len(run.written) >= run.events
    assert max(map(len, run.written)) <= fields.MAX_LINE_BYTES
    assert any(orjson.loads(line).get(fields.TRUNCATED) for line in run.written)


def test_the_lines_are_equal_byte_for_byte(run: Run) -> None:
    """Each once, none more, none less."""
    assert Counter(entry.line.encode() for entry in run.stored) == Counter(run.written)


def test_the_timestamps_are_those_of_the_lines(run: Run) -> None:
    """To the microsecond; equal stamps of two processes are told apart below it."""
    for entry in run.stored:
        stamp = orjson.loads(entry.line)[fields.TIMESTAMP]
        moment = datetime.fromtimestamp(entry.timestamp_ns // 10**9, timezone.utc)
        assert stamp == f"{moment:%Y-%m-%dT%H:%M:%S}.{entry.timestamp_ns % 10**9 // 1000:06d}Z"


def test_the_labels_are_service_and_env(run: Run) -> None:
    """Nothing else is in the index."""
    for entry in run.stored:
        line = orjson.loads(entry.line)
        assert entry.labels == {label: line[field] for label, field in fields.LABEL_FIELDS.items()}


def in_metadata(value: str) -> str:
    """The value as far as metadata takes it; Loki writes a space where it has U+FFFD."""
    fits = value.encode()[:MAX_VALUE_BYTES].decode("utf-8", "ignore")
    return fits.replace("\N{REPLACEMENT CHARACTER}", " ")


def test_the_metadata_is_that_of_the_contract(run: Run) -> None:
    """The ids of the line, the host of the carrier, and the level that Loki detects."""
    for entry in run.stored:
        line = orjson.loads(entry.line)
        ids = {name: in_metadata(line[name]) for name in fields.METADATA_FIELDS if line.get(name)}
        level = fields.DETECTED_LEVELS[line[fields.LEVEL]]
        own = {fields.HOST: HOST, fields.DETECTED_LEVEL: level}
        assert entry.metadata == {**ids, **own}


def test_the_streams_stay_within_the_budget(run: Run) -> None:
    """Five services in one environment are five streams, with few labels each."""
    streams = {tuple(entry.labels.items()) for entry in run.stored}
    assert len(streams) == 5 <= fields.MAX_STREAMS
    assert all(len(stream) <= fields.MAX_LABELS for stream in streams)


def test_every_required_field_is_on_every_line(run: Run) -> None:
    """Of services that use lokikit."""
    for line in run.written:
        assert orjson.loads(line).keys() >= set(fields.REQUIRED_FIELDS)
