"""Histories of tasks read back from a real Loki, equal to what happened."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.stack.pushing import Programs, new_service

from lokikit import Loki
from lokikit.errors import SettingsError
from lokikit.tasks.run_query import task_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lokikit.tasks.run_query import RunQuery

PROGRAM = """
import json, logging, sys
import lokikit
url, service = sys.argv[1:3]
lokikit.setup_json_logging(service, env="test", push=url, stream=sys.stderr)
(handler,) = (one for one in logging.getLogger().handlers if isinstance(one, lokikit.LokiHandler))

@lokikit.task("bill", customer="c-1")
def bill(amount):
    if amount < 0:
        raise ValueError(f"{amount} is negative")
    if not amount:
        raise lokikit.TaskInaction("nothing to bill")
    if amount > 100:
        raise lokikit.TaskTermination("too much")

for amount in (10, -1, 0, 1000):
    try:
        bill(amount)
    except ValueError:
        pass
with lokikit.task("close-month"):
    handler.flush()
    print(json.dumps({"event": "inside"}), flush=True)
    sys.stdin.read()
handler.flush()
"""


@pytest.fixture(scope="module")
def stored(loki_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunQuery]:
    """Runs of a service of which one process was killed within a task, and another still runs."""
    programs, service = Programs(tmp_path_factory.mktemp("runs")), new_service()
    started = [programs.run("-c", PROGRAM, loki_url, service) for _ in range(2)]
    for program in started:
        program.report("inside")
    started[0].end(signal.SIGKILL)
    yield task_runs(Loki(loki_url)).filter_by(service=service).since("1h")
    programs.end_all()


def test_each_run_once_and_how_it_ended(stored: RunQuery) -> None:
    """Every call of a task is one run, in the order of their starts."""
    runs = stored.filter_by(task_name="bill").all()
    assert [run.start for run in runs] == sorted(run.start for run in runs)
    assert len({run.task_id for run in runs}) == len(runs) == 8
    statuses = [run.status for run in runs]
    assert sorted(statuses) == sorted(["success", "fail", "inaction", "terminate"] * 2)


def test_a_run_is_typed(stored: RunQuery) -> None:
    """A run has its times as times, and what it raised."""
    run = stored.filter_by(task_name="bill", action="fail").last()
    assert run is not None
    assert run.exception is not None
    assert (run.exception.type, run.exception.message) == ("ValueError", "-1 is negative")
    assert "in bill\nValueError: -1 is negative" in run.exception.stacktrace
    assert run.end is not None
    assert run.runtime is not None
    assert run.start <= run.end
    assert run.runtime.total_seconds() == run.last.runtime_s


def test_a_killed_process_is_a_crash(stored: RunQuery) -> None:
    """Of two runs without an end, the one whose process was killed crashed, the other runs."""
    runs = stored.filter_by(task_name="close-month")
    assert sorted(run.status for run in runs.all()) == ["crash", "run"]
    assert [run.status for run in runs.running()] == ["run"]
    (crashed,) = runs.filter_by(action="crash").all()
    assert (crashed.end, crashed.runtime, crashed.exception) == (None, None, None)


def test_a_silent_process_of_another_machine_is_a_crash(stored: RunQuery) -> None:
    """Where processes cannot be seen, one that writes nothing for long enough is gone."""
    elsewhere = replace(stored, _lives_here=lambda _: None).filter_by(task_name="close-month")
    assert {run.status for run in elsewhere.crash_after("1h").all()} == {"run"}
    assert {run.status for run in elsewhere.crash_after("0s").all()} == {"crash"}


def test_filters_take_any_field_and_lists(stored: RunQuery) -> None:
    """Runs are found by what their lines hold, and by one of several values."""
    assert len(stored.filter_by(customer="c-1").all()) == 8
    assert len(stored.filter_by(task_name=["bill", "close-month"]).all()) == 10
    assert len(stored.filter_by(action=["fail", "terminate"]).all()) == 4
    with pytest.raises(SettingsError, match="no action of a task"):
        stored.filter_by(action="failed").all()


@dataclass
class Step:
    """A model of the caller's own."""

    task_name: str
    action: str
    timestamp: datetime
    customer: str = ""


class Pair(NamedTuple):
    """Another one."""

    task_name: str
    action: str


def test_records_as_they_are(stored: RunQuery) -> None:
    """The raw actions come in the order of time, typed."""
    records = stored.filter_by(task_name="bill").records()
    assert len(records) == 16
    assert [one.timestamp for one in records] == sorted(one.timestamp for one in records)
    assert {one.action for one in records if one.end is None} == {"run"}


def test_records_as_own_models(stored: RunQuery) -> None:
    """They become the caller's own model: a dataclass, a named tuple or a dictionary."""
    fails = stored.filter_by(task_name="bill", action="fail")
    (first, _) = fails.records(Step)
    assert (first.action, first.customer) == ("fail", "c-1")
    assert first.timestamp.tzinfo is not None
    assert fails.records(Pair) == [("bill", "fail")] * 2
    value: dict[str, Any] = fails.records(dict)[0]
    assert value["exc_message"] == "-1 is negative"
