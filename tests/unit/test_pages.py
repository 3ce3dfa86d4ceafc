"""Every page of the documentation: it is built, and its blocks hold what the package takes."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
import yaml

import lokikit
from lokikit.cli.app import command_line
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = [kit_root() / "README.md", *sorted((kit_root() / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
BEHIND = {"|", "||", "&&", ";", ">", "2>&1"}


def blocks(language: str) -> Iterator[tuple[Path, str]]:
    """Each block of a language, with its page."""
    for page in PAGES:
        for found, text in BLOCK.findall(page.read_text()):
            if found == language:
                yield page, text


def commands() -> Iterator[tuple[str, str]]:
    """Each call of `lokikit` in a block of a shell: page, arguments."""
    for page, text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            if "lokikit " not in line:
                continue
            yield from _calls(page.name, shlex.split(line, comments=True))


def _calls(page: str, words: list[str]) -> Iterator[tuple[str, str]]:
    """Each part between operators of a shell that runs `lokikit`, behind variables or none."""
    part: list[str] = []
    for word in [*words, "|"]:
        if word not in BEHIND:
            part.append(word)
            continue
        while part and re.match(r"\w+=", part[0]):
            part.pop(0)
        if part and part[0].rpartition("/")[2] == "lokikit":
            yield page, shlex.join(part[1:])
        part = []


def named(command: Any, words: list[str]) -> Any:
    """The command of a group that `words` begin with, which are taken off."""
    while words and words[0] in getattr(command, "commands", ()):
        command = command.commands[words.pop(0)]
    return command


CALLS = sorted(set(commands()))


@pytest.mark.parametrize(
    ("page", "call"), CALLS, ids=[f"{page} {call}"[:90] for page, call in CALLS]
)
def test_commands_of_the_pages_exist(page: str, call: str) -> None:
    """Each command is there, and has each option that a page gives it."""
    words = shlex.split(call)
    command = named(typer.main.get_command(command_line()), words)
    is_whole = not hasattr(command, "commands") or not words or words[0].startswith("-")
    assert is_whole or command.invoke_without_command, f"{page}: lokikit {call}"
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    asked = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert asked <= {*known, "--help"}, f"{page}: lokikit {call}"


PYTHON, YAML = list(blocks("python")), list(blocks("yaml"))


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_python_of_the_pages_is_python(number: int) -> None:
    """Each block of Python compiles."""
    page, text = PYTHON[number]
    ast.parse(text, filename=page.name)


@pytest.mark.parametrize("number", range(len(YAML)))
def test_yaml_of_the_pages_is_yaml(number: int) -> None:
    """Each block of YAML is read."""
    page, text = YAML[number]
    assert list(yaml.safe_load_all(text)), page.name


def test_json_of_the_pages_is_json() -> None:
    """Each line that is an object in a block of JSON is read."""
    for page, text in blocks("json"):
        for line in text.splitlines():
            if line.startswith("{") and line.endswith("}"):
                assert json.loads(line), page.name


def test_every_page_is_in_the_site() -> None:
    """The navigation leads to each page."""
    nav = (kit_root() / "mkdocs.yml").read_text().partition("nav:")[2]
    assert set(re.findall(r"([\w-]+\.md)", nav)) == {page.name for page in PAGES} - {"README.md"}


def test_the_index_leads_to_every_page() -> None:
    """A reader finds each page by the task at hand."""
    linked = re.findall(r"\]\(([\w-]+\.md)", (kit_root() / "docs/index.md").read_text())
    assert set(linked) == {page.name for page in PAGES} - {"README.md", "index.md"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built without a warning: each link leads to a page and a heading."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=kit_root(),
        env={"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_the_site_fetches_no_script_and_no_font(site: Path) -> None:
    index = (site / "index.html").read_text()
    assert not re.findall(r'(?:src|href)="https?://[^"]+\.(?:js|css|woff2?)"', index)


def explained(site: Path, name: str, home: str = r"[\w.]+") -> set[str]:
    """The arguments that the table below a name of a module in the reference explains."""
    page = (site / "api.html").read_text()
    part = re.search(
        rf'id="{home}\.{name}" class="doc doc-heading"(.*?)(?:class="doc doc-heading"|\Z)',
        page,
        re.DOTALL,
    )
    assert part, f"{name} is not in the reference"
    row = r'class="doc-section-item">\s*<td>\s*<code>\**(\w+)</code>\s*</td>.*?<p>\s*\S'
    return set(re.findall(row, part[1], re.DOTALL))


@pytest.mark.parametrize("name", sorted(lokikit.__all__))
def test_the_reference_explains_each_public_name_and_argument(site: Path, name: str) -> None:
    value = getattr(lokikit, name)
    is_error = isinstance(value, type) and issubclass(value, Exception)
    asked = () if is_error else inspect.signature(value).parameters
    assert set(asked) <= explained(site, name)


FRAMEWORKS = ("django", "celery", "apscheduler", "gunicorn", "redbird")


def public_definitions(module: str) -> list[tuple[str, list[str]]]:
    """The public functions and classes of a module, with the arguments of the functions."""
    source = (kit_root() / f"pylib/src/lokikit/{module}.py").read_text()
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            of_it = node.args if isinstance(node, ast.FunctionDef) else None
            arguments = [*of_it.args, *of_it.kwonlyargs] if of_it else []
            found.append((node.name, [one.arg for one in arguments]))
    return found


@pytest.mark.parametrize("module", FRAMEWORKS)
def test_the_reference_explains_what_frameworks_import(site: Path, module: str) -> None:
    """Without the framework installed, so from the source."""
    for name, arguments in public_definitions(module):
        assert set(arguments) <= explained(site, name, f"lokikit.{module}")


LINKING = [
    *PAGES,
    *(
        kit_root() / name
        for name in (
            *("CHANGELOG.md", "pylib/README.md", "grafana/RUNBOOKS.md", "deploy/chart/README.md"),
            *("deploy/demo/README.md", "tests/benchmarks/RESULTS.md"),
        )
    ),
]


def anchors(page: Path) -> set[str]:
    """The anchors of the headings of a page, as GitHub and the site make them."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(kit_root())))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    """A link within the repository leads to a file that is there, and to a heading in it."""
    text = re.sub(r"`[^`\n]*`", "", page.read_text())
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", text):
        if "://" in target:
            continue
        file = page.parent / target if target else page
        assert file.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(file), f"{page.name}: {target}#{anchor}"


PROOFS = {
    name
    for page in ("guarantees.md", "agent-faults.md")
    for name in re.findall(
        r"`(?:[\w/]+/)?(test_\w+\.py(?:::test_\w+)?)`", (kit_root() / "docs" / page).read_text()
    )
}


def test_each_promise_of_the_guarantees_has_a_proof() -> None:
    """The last cell of each row names a test."""
    rows = re.findall(r"^\| .+\|$", (kit_root() / "docs/guarantees.md").read_text(), re.MULTILINE)
    promises = [row for row in rows if not row.startswith("| fault |")]
    assert promises
    assert [row for row in promises if "test_" not in row.rsplit("|", 2)[1]] == []


@pytest.mark.parametrize("name", sorted(PROOFS))
def test_each_guarantee_names_a_test_that_is_there(name: str) -> None:
    """What a page gives as the proof of a promise can be run."""
    file, _, test = name.partition("::")
    found = [path.read_text() for path in (kit_root() / "tests").rglob(file)]
    assert any(f"def {test}(" in text if test else text for text in found)
