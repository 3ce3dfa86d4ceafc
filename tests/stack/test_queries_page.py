"""docs/queries.md, typed as it stands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from tests.stack.asking import push
from tests.stack.documents import blocks

MARK = uuid.uuid4().hex[:12]
SERVICE, ENV, TASK = f"api-{MARK}", f"prod-{MARK}", f"send-{MARK}"
STEP = {"task_name": TASK, "task_id": "1", "message": "m"}


@pytest.fixture(scope="module")
def url(loki_url: str) -> str:
    """A Loki that has what the page asks for, under names that no other test uses."""
    error = {"level": "error", "http_status": 500, "message": "a timeout of the bank"}
    steps = [
        {**STEP, "action": "run"},
        {**STEP, "action": "fail", "runtime_s": 1.5, "exc_type": "E", "exc_message": "no ink"},
        {**STEP, "action": "run", "task_id": "2"},
    ]
    lines = [{"level": "info", "message": "hello"}, error, *steps]
    start_ns = time.time_ns() - 10**10
    rows = [(start_ns + n, json.dumps(line)) for n, line in enumerate(lines)]
    push(loki_url, {"service_name": SERVICE, "env": ENV}, rows)
    return loki_url


def typed(language: str, url: str) -> list[str]:
    """The page's blocks, about the lines of this test."""
    names = {"http://127.0.0.1:3100": url, '"api"': f'"{SERVICE}"', '"prod"': f'"{ENV}"'}
    names |= {" api -n 50": f" {SERVICE} -n 50 -o raw", "send-invoices": TASK}
    found = blocks("queries.md", language)
    for name, mine in names.items():
        found = [block.replace(name, mine) for block in found]
    return found


def test_the_python_of_the_page(url: str) -> None:
    """Every block of Python runs, and finds what it is about."""
    names: dict[str, Any] = {}
    for block in typed("python", url):
        exec(compile(block, "queries.md", "exec"), names)  # noqa: S102 - it is ours
    assert [entry.fields["http_status"] for entry in names["errors"]] == [500]
    assert names["by_level"].to_dict()["error"] == 1
    assert [run.exception.message for run in names["failed"]] == ["no ink"]
    assert names["last"].status == "run"
    assert names["last"] in names["running"]
    assert [step.action for step in names["steps"]] == ["run", "fail", "run"]
    assert len(names["newest"]) == 1
    assert len(list(names["everything"])) == 5
    assert len(names["rates"]) == 1
    assert {sample.value for sample in names["per_minute"]} == {"5"}
    assert names["volume"].size_bytes > 0


@pytest.mark.skipif(not shutil.which("jq") or not shutil.which("curl"), reason="no curl or no jq")
def test_the_commands_of_the_page(url: str, tmp_path: Path) -> None:
    """The command and the curl beside it print the same last lines, the oldest first."""
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "LOKI_URL": url}
    entries = []
    for block in typed("sh", url):
        done = subprocess.run(
            ["/bin/sh", "-ec", block],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        entries.append(done.stdout.splitlines())
    command, curl = entries
    assert command == curl
    assert [json.loads(line)["message"] for line in curl][:2] == ["hello", "a timeout of the bank"]
