"""The blocks of docs/frameworks.md, as files and as commands."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (kit_root() / "docs/frameworks.md").read_text()


def blocks(section: str, language: str) -> list[str]:
    """The blocks of a section in a language."""
    text = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert text, section
    return re.findall(rf"```{language}\n(.*?)```", text[1], re.DOTALL)


def write_files(section: str, folder: Path) -> None:
    """Write its Python blocks into the files that their first lines name, and `logging.json`."""
    for block in blocks(section, "python"):
        if named := re.match(r"# (\S+\.py)\n", block):
            (folder / named[1]).write_text(block)
    (configuration,) = blocks("Uvicorn and Hypercorn", "json")
    (folder / "logging.json").write_text(configuration)


def command(section: str, *marks: str) -> list[str]:
    """The words of the one command of a section that has all `marks`, without its variables."""
    found = [one for one in blocks(section, "sh") if all(mark in one for mark in marks)]
    assert len(found) == 1, (section, marks, found)
    words = shlex.split(found[0])
    return [word for word in words if not re.match(r"[A-Z_]+=", word)]
