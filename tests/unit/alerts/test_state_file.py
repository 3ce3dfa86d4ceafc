from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import orjson
import pytest

from lokikit.alerts.state_file import (
    AlertState,
    RuleRecord,
    SentRecord,
    alerts_folder,
    make_folder,
    read_state,
    state_file,
    write_state,
)
from lokikit.monitoring.rule_states import Instance

if TYPE_CHECKING:
    from pathlib import Path

STATE = AlertState(
    evaluated_ns=7,
    problem="no answer",
    rules={
        "error-ratio": RuleRecord(
            6, "", [Instance({"service_name": "shop"}, "pending", 0.5, 5, breached_ns=5)]
        )
    },
    sent={"email": {"shop": SentRecord(4, {"ab": {"summary": "much"}}, "refused", 5, 2)}},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = alerts_folder(tmp_path)
    make_folder(folder)
    return folder


def test_state_comes_back_as_it_was_written(folder: Path) -> None:
    write_state(folder, STATE)
    assert read_state(folder) == STATE


def test_no_file_is_no_state(folder: Path) -> None:
    assert read_state(folder) is None


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"version":2}', b'{"version":1}', b'{"version":1,"rules":[]}']
)
def test_file_that_means_nothing_is_no_state(folder: Path, text: bytes) -> None:
    state_file(folder).write_bytes(text)
    assert read_state(folder) is None


def test_fields_of_a_later_version_are_left_out(folder: Path) -> None:
    write_state(folder, STATE)
    held = orjson.loads(state_file(folder).read_bytes())
    held["rules"]["error-ratio"]["instances"][0]["new"] = 1
    state_file(folder).write_bytes(orjson.dumps(held))
    assert read_state(folder) == STATE


def test_folder_is_closed_to_others(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
