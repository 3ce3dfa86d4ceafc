"""What is imported when: users wait for it at each start of a service and at each command."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.command_line import run_command

HEAVY = {"requests", "typer", "duckdb", "rich", "uvicorn", "starlette", "yaml", "apprise"}


def loaded(code: str) -> set[str]:
    """The heavy packages that a program has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", f"import atexit, json, sys\n{_REPORT}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return HEAVY & set(json.loads(done.stderr.splitlines()[-1]))


_REPORT = "atexit.register(lambda: sys.stderr.write(json.dumps(list(sys.modules))))"


def test_the_package_loads_nothing_heavy() -> None:
    """A service that only logs pays for logging alone."""
    assert loaded("import lokikit; lokikit.setup_json_logging('a')") == set()


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--version"], {"typer", "rich"}),
        (["logql", "fmt", "1"], {"typer", "rich"}),
        (["query", "--help"], {"typer", "rich", "requests", "yaml"}),
        (["status", "--help"], {"typer", "rich", "requests", "yaml"}),
    ],
)
def test_a_command_loads_what_it_needs(arguments: list[str], allowed: set[str]) -> None:
    """No command waits for the imports of another."""
    code = f"sys.argv[1:] = {arguments!r}\nfrom lokikit.cli.app import main\nmain()"
    assert loaded(code) <= allowed


def test_the_help_knows_every_command() -> None:
    """Without a command, and for one that there is not, all of them are known."""
    for arguments in ([], ["--help"], ["quer"]):
        done = run_command(arguments, os.environ)
        text = done.stdout + done.stderr
        assert "query" in text
        assert ("wire" in text) is (arguments != ["quer"])
