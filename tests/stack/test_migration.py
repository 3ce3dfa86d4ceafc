"""The migration pages, each tried on one small project: as it was, and as the page has it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.stack.conftest import free_ports
from tests.stack.documents import marked_block
from tests.waiting import eventually

from lokikit import Loki
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).parents[1] / "programs/project"
SAID = [
    "order 17 placed",
    "order 18 failed",
    "timeout of the stock for order 19",
    "order 19 placed",
    "done",
]
"""What the project logs from INFO on."""
MARK = uuid.uuid4().hex[:12]
"""In the names of what this run stores."""
Lines = list[dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the project with a block of a page as its set-up, some words of it replaced."""

    def start(page: str, mark: str, *command: str, **words: str) -> Any:
        folder = tmp_path / mark
        shutil.copytree(PROJECT, folder)
        block = marked_block(page, mark)
        for word, mine in words.items():
            block = block.replace(word, mine)
        (folder / "log_setup.py").write_text(block)
        return subprocess.run(
            command or [sys.executable, "main.py"],
            cwd=folder,
            env={**os.environ, "LOG_FORMAT": "json", "TZ": "UTC"},
            capture_output=True,
            text=True,
            check=True,
        )

    return start


def read(text: str) -> Lines:
    """Lines of JSON."""
    return [json.loads(line) for line in text.splitlines()]


def test_from_basic_config(run: Callable[..., Any]) -> None:
    """The same messages in the same order, now as lines with fields, and nothing on stderr."""
    before = run("from-basic-config.md", "before")
    matches = re.findall(r"^\S+ \S+ [A-Z]+ my_app[.a-z]*: (.*)$", before.stderr, re.MULTILINE)
    assert (matches, before.stdout) == (SAID, "")
    after = run("from-basic-config.md", "after")
    lines = read(after.stdout)
    assert ([line["message"] for line in lines], after.stderr) == (SAID, "")
    assert (lines[0]["order"], lines[0]["service"]) == (17, "my-app")
    assert lines[1]["exc_message"] == "no stock"
    assert lines[1]["stacktrace"] in before.stderr.replace("/before/", "/after/") + "\n"


def test_from_python_json_logger(run: Callable[..., Any]) -> None:
    """Each line of before has its like, field by field of the page's table."""
    old = read(run("from-python-json-logger.md", "before").stderr)
    new = read(run("from-python-json-logger.md", "after").stdout)
    assert [line["message"] for line in old] == SAID
    names = {"severity": "level", "name": "logger", "exc_info": "stacktrace"}
    same = {"message", "order", "amount", "team"}
    for before, after in zip(old, new, strict=True):
        assert set(before) - {"asctime", "taskName"} <= same | set(names)
        for name in same & set(before):
            assert after[name] == before[name]
        assert after["level"] == before["severity"].lower()
        assert after["logger"] == before["name"]
        traceback = before.get("exc_info", "").replace("/before/", "/after/")
        assert after.get("stacktrace", "") == traceback


def test_from_python_logging_loki(run: Callable[..., Any], loki_url: str) -> None:
    """The page's queries of today find what those of before found."""
    page, loki = "from-python-logging-loki.md", Loki(loki_url, timeout_s=60)
    for mark in ("before", "after"):
        words = {"http://127.0.0.1:3100": loki_url, "my-app": f"{mark}-{MARK}"}
        run(page, mark, **words)
    table = (kit_root() / "docs" / page).read_text().partition("## Queries")[2]
    rows = re.findall(r"^\| `(\{.+?\}.*?)` \| (?:`(.+?)`|(the same))", table, re.MULTILINE)
    assert len(rows) == 4
    for old, new, _ in rows:
        found = {
            mark: [
                entry.fields.get("message", entry.line.partition("\n")[0])
                for entry in loki.query_range(typed(query, mark), "10m")
            ]
            for mark, query in (("before", old), ("after", new or old))
        }
        assert found["before"], old
        assert found["after"] == found["before"]


def typed(query: str, mark: str) -> str:
    """A query of a table of the page, about the project's lines of this test."""
    query = query.replace(r"\|", "|").replace("my-app", f"{mark}-{MARK}")
    if "application" in query:
        return query
    return query.replace("{", f'{{application="{mark}-{MARK}", ')


def test_from_a_collector(run: Callable[..., Any], loki_url: str, tmp_path: Path) -> None:
    """The queries of the page find what the collector wrote into its files."""
    page, (port,) = "from-a-collector.md", free_ports(1)
    command = [sys.executable, str(PROJECT / "collector.py"), str(port), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as collector:
        assert collector.stdout is not None
        assert collector.stdout.readline() == b"listening\n"
        run(page, "before", **{"logging.handlers.DEFAULT_TCP_LOGGING_PORT": str(port)})
        files = {name: tmp_path / f"{name}.log" for name in ("my_app", "errors")}
        eventually(lambda: "done" in files["my_app"].read_text())
        collector.terminate()
    service = f"project-{MARK}"
    script = marked_block(page, "start").replace("my-app", service)
    programs = (
        f'PATH="{Path(sys.executable).parent}:$PATH" LOKI_URL="{loki_url}"; export PATH LOKI_URL'
    )
    run(page, "after", "/bin/sh", "-ec", f"{programs}\n{script}", **{"my-app": service})
    text = (kit_root() / "docs" / page).read_text()
    queries = dict(re.findall(r"^\| `(\w+)\.log`.*? \| `(.+)` \|$", text, re.MULTILINE))
    found = {
        name: [
            entry.fields["message"]
            for entry in Loki(loki_url).query_range(
                query.replace(r"\|", "|").replace("my-app", service), "10m"
            )
        ]
        for name, query in queries.items()
    }
    for name, path in files.items():
        messages = [line for line in path.read_text().splitlines() if line in SAID]
        assert found[name] == messages
    assert found["my_app"] == SAID
    assert found["db"] == ["timeout of the stock for order 19"]
