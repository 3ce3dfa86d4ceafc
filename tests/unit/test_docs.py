"""The pages against the code: variables, commands, targets and exit codes."""

from __future__ import annotations

import ast
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from docs.generator.commands import commands, reference
from docs.generator.kit_variables import OF_SPLIT_FILES, OF_THE_AGENT
from dotenv import dotenv_values

from lokikit import errors, fields
from lokikit.cli.app import _EXIT_CODES, COMMANDS, GROUPS
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator

READERS = (
    "variables.py",
    "setup.py",
    "stack/kit_files.py",
    "cli/output.py",
    "cli/page.py",
    "cli/stack.py",
    "stack/grafana/contacts.py",
    "stack/native/agent.py",
    "stack/native/store.py",
    "stack/native/stack_parts.py",
)
"""The modules that read the environment."""
NOT_SET_BY_A_USER = {"DEMO_DATABASE"}
EXIT_CODES = {0, *(error.exit_code for error in errors.LokikitError.__subclasses__())}


def readme() -> str:
    """The text of the README."""
    return (kit_root() / "README.md").read_text()


def documented_variables() -> list[str]:
    """Each name in the first column of a table of settings."""
    text = (kit_root() / "docs/settings.md").read_text()
    tables = re.findall(r"^\| variable .*\n\| ?-.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    return [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]


def read_variables() -> Iterator[str]:
    """Each name of `.env` and of the agent's files, and what looks like one in the readers."""
    yield from dotenv_values(kit_root() / ".env")
    for path in (kit_root() / "fluentbit").rglob("*.yaml"):
        yield from re.findall(r"\$\{(\w+)", path.read_text())
    for reader in READERS:
        tree = ast.parse((kit_root() / "pylib/src/lokikit" / reader).read_text())
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and re.fullmatch(r"[A-Z]+(_[A-Z]+)*", text):
                yield text


def test_every_variable_is_in_a_table() -> None:
    """The tables of settings hold exactly the variables that are read."""
    assert set(documented_variables()) == set(read_variables()) - NOT_SET_BY_A_USER


def test_every_variable_of_split_files_is_in_their_table() -> None:
    """The page of split files has each variable that their configuration reads."""
    files = [*(kit_root() / "fluentbit").glob("split*"), *(kit_root() / "deploy/compose").glob("*")]
    texts = [path.read_text() for path in files if path.is_file()]
    read = {name for text in texts for name in re.findall(r"FLUENTBIT_SPLIT_\w+", text)}
    assert read == {name for one in OF_SPLIT_FILES for name in one.names}


def test_the_agents_defaults_are_those_of_its_files() -> None:
    """A table gives each default that a file of the agent has, beside empty ones."""
    stated = {name: one.without for one in OF_THE_AGENT for name in one.names}
    for path in (kit_root() / "fluentbit").glob("*.yaml"):
        for name, default in re.findall(r"\$\{(\w+):-([^}]+)\}", path.read_text()):
            assert default in stated.get(name, default), (path.name, name, default)


def test_every_field_is_in_the_contract() -> None:
    """The table of fields holds each name that a line of the package may have."""
    text = (kit_root() / "docs/log-contract.md").read_text()
    shown = set(re.findall(r"^\| `(\w+)` \| [^|]+ \| \S", text, re.MULTILINE))
    groups = (fields.LINE_FIELDS, fields.REQUEST_FIELDS, fields.TASK_FIELDS, fields.CANARY_FIELDS)
    single = {fields.TRUNCATED, fields.LEVEL_NAME, fields.USER_ID, fields.CLOSE_CODE}
    assert {name for group in groups for name in group} | single <= shown


def test_every_option_is_explained() -> None:
    """The page of commands shows each option and argument with its help; so does `--help`."""
    silent = [
        f"{name} {one.name}"
        for name, command in commands()
        for one in command.params
        if not one.help
    ]
    assert silent == []
    page = reference()
    for name, command in commands():
        assert f"## `lokikit {name}`" in page
        shown = [option for one in command.params if not one.hidden for option in one.opts]
        section = page.partition(f"## `lokikit {name}`\n")[2].partition("\n## ")[0]
        assert [
            option for option in shown if option.startswith("-") and option not in section
        ] == []


def test_every_profile_of_the_chart_is_in_its_table() -> None:
    """The page of Kubernetes explains each profile, and none that is not there."""
    text = (kit_root() / "docs/kubernetes.md").read_text()
    shown = set(re.findall(r"^\| `([\w-]+\.yaml)` \| \S", text, re.MULTILINE))
    assert shown == {path.name for path in (kit_root() / "deploy/chart/ci").glob("*.yaml")}


def test_every_target_is_in_the_help() -> None:
    """`make help` lists each target that is declared, and says what it does."""
    text = (kit_root() / "Makefile").read_text()
    declared = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert declared
    output = subprocess.run(
        ["make", "--no-print-directory", "help"],  # noqa: S607 - of this machine
        cwd=kit_root(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.findall(r"^  make (\w+) +\S", output, re.MULTILINE) == declared[1].split()


@pytest.mark.parametrize(
    "command", [*GROUPS, *(name for commands in COMMANDS.values() for name in commands)]
)
def test_every_command_is_in_the_readme(command: str) -> None:
    """The README shows how each command is typed."""
    assert f"lokikit {command}" in readme()


@pytest.mark.parametrize(
    "target", re.findall(r"(?m)(?:^|`)make ([a-z]+)", (kit_root() / "README.md").read_text())
)
def test_every_target_of_the_readme_exists(target: str) -> None:
    """The README names no target that there is not."""
    assert re.search(rf"^{target}:", (kit_root() / "Makefile").read_text(), re.MULTILINE)


def test_exit_codes_of_the_readme() -> None:
    """The README explains exactly the exit codes of the errors."""
    match = re.search(r"Exit\s+codes: ([^.]+)\.", readme())
    assert match
    assert {int(code) for code in re.findall(r"\d+", match[1])} == EXIT_CODES


def test_exit_codes_of_the_help() -> None:
    """The command's own help explains the same ones, and Ctrl-C."""
    assert {int(code) for code in re.findall(r"\*\*(\d+)\*\*", _EXIT_CODES)} == EXIT_CODES | {130}


def test_exit_codes_of_the_error_tree() -> None:
    """The tree in the docstring of the errors shows each error with the code that it has."""
    matches = re.findall(r"── (\w+) .*\(exit code (\d)\)", errors.__doc__ or "")
    own = {
        (one.__name__, str(one.exit_code))
        for one in errors.LokikitError.__subclasses__()
        if one.__module__ == errors.__name__  # the store's have a tree of their own
    }
    assert set(matches) == own
