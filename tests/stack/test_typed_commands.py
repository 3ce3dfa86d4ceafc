"""Commands and programs of the pages, typed as they stand there, on one embedded store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
from tests.page_blocks import TYPED, TYPED_HERE, Block, begins, blocks
from tests.stack.asking import push
from tests.stack.engines import RunningStore
from typer.testing import CliRunner

from lokikit import fields
from lokikit.cli.app import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULE_FILES = ("alerts.yaml", "alerts_test.yaml")
COMPOSE = "services:\n  web:\n    image: example\n"
LINES = [
    ("shop", {"level": "error", "message": "refused: no ink"}),
    ("jobs", {"level": "error", "action": "fail", "message": "send-invoices failed"}),
    ("api", {"level": "info", "message": "order 42 placed"}),
    ("billing", {"level": "info", "message": "invoice 17 sent"}),
]
ALL = list(blocks())


def typed_here(block: Block) -> bool:
    """Whether a command of this shell is typed here."""
    return any(begins(command, one) for command in block.commands for one in TYPED)


SHELLS = [one for one in ALL if one.language == "sh" and not one.runner and typed_here(one)]


def in_language(page: str, language: str) -> list[str]:
    """The texts of a page's blocks in a language."""
    return [one.text for one in ALL if (one.page, one.language) == (page, language)]


def only(page: str, language: str) -> str:
    """The text of the one block of a page in a language."""
    (found,) = in_language(page, language)
    return found


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The state folder of a stack, and the URL of its embedded store, which has some lines."""
    folder = tmp_path_factory.mktemp("state")
    store = RunningStore(folder, {}).start()
    (folder / "store").symlink_to(folder / "data")
    now_ns = time.time_ns()
    for service, line in LINES:
        push(store.url, {"service_name": service, "env": "dev"}, [(now_ns, json.dumps(line))])
    yield folder, store.url
    store.kill()


@pytest.fixture
def folder(state: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a reader, with the files that the pages take as there."""
    monkeypatch.setenv("LOKIKIT_STATE", str(state[0]))
    monkeypatch.setenv("LOKI_URL", state[1])
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    for name, text in zip(RULE_FILES, in_language("rule-tests.md", "yaml"), strict=True):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("block", SHELLS, ids=str)
def test_the_commands_of_a_block_do_what_they_say(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in block.commands:
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
        elif any(begins(words, one) for one in TYPED):
            done = CliRunner().invoke(command_line(), words[1:], catch_exceptions=False)
            assert done.exit_code == 0, (words, done.output)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("command-line.md", "refused: no ink"),
        ("explore.md", "refused: no ink"),
        ("getting-started.md", "order 42 placed"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_query_of_a_page_finds_a_line(query: str, said: str) -> None:
    (words, *_) = (
        command
        for block in SHELLS
        for command in block.commands
        if block.page == query and (begins(command, "lokikit query") or "api" in command)
        if "detected_level" not in " ".join(command)
    )
    done = CliRunner().invoke(command_line(), words[1:], catch_exceptions=False)
    assert said in done.output


def run_app(text: str, folder: Path) -> dict[str, Any]:
    """The one line that a program of a page prints."""
    (folder / "app.py").write_text(text)
    environ = {name: value for name, value in os.environ.items() if name != "LOKI_URL"}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=folder, env=environ, capture_output=True, check=True
    )
    (line,) = done.stdout.splitlines()
    return dict(json.loads(line))


def test_the_program_of_the_readme_writes_its_line(folder: Path) -> None:
    """The same fields in the same order, with the same values where these are no place or time."""
    written = run_app(only("README.md", "python"), folder)
    shown = json.loads(only("README.md", "json"))
    assert list(written) == list(shown)
    of_the_machine = {fields.TIMESTAMP, fields.HOST, fields.PID}
    kept = {name: value for name, value in shown.items() if name not in of_the_machine}
    assert {name: written[name] for name in kept} == kept


def test_the_first_program_writes_a_line(folder: Path) -> None:
    line = run_app(only("getting-started.md", "python"), folder)
    assert (line["message"], line["service"], line["amount"]) == ("order 42 placed", "api", 19.99)


@pytest.mark.usefixtures("folder")
def test_the_test_of_rules_runs_in_pytest() -> None:
    names: dict[str, Any] = {}
    exec(only("rule-tests.md", "python"), names)  # noqa: S102 - of our own page
    names["test_alerts"]()


def test_a_test_of_rules_fails_as_the_page_shows(folder: Path) -> None:
    rules = folder / "alerts.yaml"
    rules.write_text(rules.read_text().replace("for: 5m", "for: 15m"))
    words = ("rules", "test", "alerts_test.yaml")
    done = CliRunner().invoke(command_line(), words)
    assert f"{done.output}lokikit: {done.exception}\n" == only("rule-tests.md", "text")


@pytest.mark.parametrize(
    "block",
    [one for one in ALL if one.page == "frameworks.md" and one.runner == TYPED_HERE],
    ids=str,
)
def test_python_of_the_frameworks_runs(block: Block) -> None:
    names = {"requests": requests, "httpx": httpx, "nothing_new": bool}
    before = "import lokikit\nimport lokikit.django\n"
    exec(compile(before + block.text, block.page, "exec"), names)  # noqa: S102 - of our own page
