"""Each block of the README and the pages, and which test runs it.

A block that nothing runs says why in a comment right above it: `<!-- not run: the reason -->`.
"""

from __future__ import annotations

import itertools
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK = re.compile(
    r"^(?P<above>[^\n]*)\n(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_REASON = re.compile(r"<!-- not run: (.+?) -->\s*$")
_FILE = re.compile(r"# \S+\.py")
"""First line of a block of docs/frameworks.md that tests write into a file."""
_VARIABLE = re.compile(r"\w+=")
_BETWEEN = {"&&", "||", ";"}

TYPED_HERE = "tests/stack/test_typed_commands.py"
WHOLE_BLOCKS = {
    ("README.md", "json"): TYPED_HERE,
    ("README.md", "python"): TYPED_HERE,
    ("canary.md", "json"): "tests/unit/test_page_blocks.py",
    ("explore.md", "logql"): "tests/stack/test_demo.py",
    ("frameworks.md", "ini"): "tests/unit/output/test_taking_in.py",
    ("frameworks.md", "json"): "tests/integration/page.py",
    ("frameworks.md", "python"): TYPED_HERE,
    ("from-a-collector.md", "python"): "tests/stack/test_migration.py",
    ("from-a-collector.md", "sh"): "tests/stack/test_migration.py",
    ("from-basic-config.md", "python"): "tests/stack/test_migration.py",
    ("from-python-json-logger.md", "python"): "tests/stack/test_migration.py",
    ("from-python-logging-loki.md", "python"): "tests/stack/test_migration.py",
    ("getting-started.md", "python"): TYPED_HERE,
    ("growing.md", "yaml"): "tests/chart/test_microservices.py",
    ("http.md", "js"): "tests/agent/test_http_proxy.py",
    ("http.md", "nginx"): "tests/agent/test_http_proxy.py",
    ("http.md", "sh"): "tests/agent/test_http_proxy.py",
    ("kubernetes.md", "yaml"): "tests/unit/test_page_blocks.py",
    ("log-contract.md", "json"): "tests/unit/test_page_blocks.py",
    ("queries.md", "python"): "tests/stack/test_queries_page.py",
    ("queries.md", "sh"): "tests/stack/test_queries_page.py",
    ("rule-tests.md", "python"): TYPED_HERE,
    ("rule-tests.md", "text"): TYPED_HERE,
    ("rule-tests.md", "yaml"): TYPED_HERE,
    ("split-files.md", ""): "tests/agent/test_split.py",
    ("split-files.md", "sh"): "tests/agent/test_split_rotation.py",
    ("testing.md", "python"): "tests/stack/test_plugin.py",
    ("your-data.md", "sql"): "tests/unit/store/segments/test_analyses.py",
}
"""Page and language -> the test that runs its blocks, from their first to their last line."""
TYPED = ("lokikit query", "lokikit last", "lokikit export", "lokikit logql", "lokikit rules test")
TYPED += ("lokikit init", "lokikit chart", "lokikit wire", "lokikit alerts silence")
TYPED += ("lokikit alerts lift",)
"""Beginnings of the commands that `TYPED_HERE` types on any page."""
ELSEWHERE = {
    "cd": TYPED_HERE,
    "lokikit up": "tests/stack/test_up_down.py",
    "lokikit down": "tests/stack/test_up_down.py",
    "lokikit status": "tests/stack/test_up_down.py",
    "lokikit check": "tests/stack/test_check.py",
    "lokikit tail": "tests/stack/test_tail.py",
    "lokikit ship": "tests/stack/test_ship_stdin.py",
    "lokikit store": "tests/stack/engines.py",
    "lokikit page": "tests/page/served.py",
    "lokikit alerts": "tests/stack/test_alerts.py",
    "pip install": "tests/unit/test_distributions.py",
    "make": "tests/unit/test_makefile.py",
    "helm": "tests/chart",
    "kubectl": "tests/chart",
    "docker build": "tests/compose",
    "curl": "tests/pods",
    "gunicorn": "tests/integration/test_requests.py",
    "flask": "tests/integration/test_requests.py",
    "uvicorn": "tests/integration/test_requests.py",
    "hypercorn": "tests/integration/test_requests.py",
    "python app.py": TYPED_HERE,
    "python3 -m venv": "tests/unit/test_distributions.py",
    ". logs/bin/activate": "tests/unit/test_distributions.py",
    "docker push": "tests/compose/registry.py",
    "python manage.py runserver": "tests/integration/test_requests.py",
    "celery": "tests/integration/test_tasks.py",
}
"""Beginning of a command of a shell -> the test that runs it."""


@dataclass(frozen=True)
class Block:
    """One block of a page.

    Args:
        page: name of its file.
        line: where it begins.
        language: behind the backticks; empty without.
        text: between them, without their indentation.
        reason: why nothing runs it; empty where that is not said.
    """

    page: str
    line: int
    language: str
    text: str
    reason: str

    def __str__(self) -> str:
        """Return where it is."""
        return f"{self.page}:{self.line} {self.language}"

    @property
    def runner(self) -> str:
        """The test that runs the block as a whole; empty where each command has its own."""
        if self.page == "frameworks.md" and _FILE.match(self.text):
            return (
                "tests/projects/project.py"
                if "at the " in self.text
                else "tests/integration/page.py"
            )
        return WHOLE_BLOCKS.get((self.page, self.language), "")

    @property
    def commands(self) -> list[list[str]]:
        """The commands of a shell in it, without the variables before them and the pipe behind."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [command for line in lines for command in _commands(line)]


def pages() -> list[Path]:
    """The README and all pages."""
    return [kit_root() / "README.md", *sorted((kit_root() / "docs").glob("*.md"))]


def blocks() -> Iterator[Block]:
    """All blocks."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            reason = _REASON.search(found["above"])
            yield Block(
                page.name,
                text.count("\n", 0, found.start()) + 2,
                found["language"],
                re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
                reason[1] if reason else "",
            )


def _commands(line: str) -> Iterator[list[str]]:
    """The commands of a line; of a pipe the part that is lokikit's, else its first."""
    parts: list[list[str]] = [[]]
    for word in [*shlex.split(line, comments=True), ";"]:
        if word == "|":
            parts.append([])
        elif word not in _BETWEEN:
            parts[-1].append(word)
        else:
            bare = [_without_variables(part) for part in parts]
            ours = [part for part in bare if part[:1] == ["lokikit"]]
            yield from (part for part in (ours or bare)[:1] if part)
            parts = [[]]


def _without_variables(words: list[str]) -> list[str]:
    return list(itertools.dropwhile(lambda word: _VARIABLE.match(word) or word == "export", words))


def begins(command: list[str], beginning: str) -> bool:
    """Return True when the command has these words first."""
    return command[: len(beginning.split())] == beginning.split()
