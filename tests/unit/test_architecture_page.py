"""docs/architecture.md names files, classes and functions that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lokikit

PACKAGE = Path(lokikit.__file__).parent
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
ANSWERS = PAGE.partition("## Where is …?")[2].partition("\n## ")[0]
_DEFINITION = r"(?m)^\s*(?:class|def) {name}\b|^{name}\b.* = "


def path_of(name: str) -> Path:
    """The file that the page means; a name without a folder is in the folder named before it."""
    places = [PACKAGE / name, PACKAGE.parent / name, ROOT / name]
    if "/" not in name:
        places += PACKAGE.rglob(name)
    return next((place for place in places if place.exists()), ROOT / name)


def named_parts() -> list[tuple[str, str]]:
    """Each file of the answers with each name that stands directly behind it."""
    parts = []
    for path, names in re.findall(r"`([\w/]+\.py)`((?: (?:and )?`\w+`)*)", ANSWERS):
        parts += [(path, name) for name in re.findall(r"`(\w+)`", names)]
    return parts


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w/.-]+\.(?:py|yaml|md))`", PAGE))))
def test_file_exists(path: str) -> None:
    assert path_of(path).is_file()


@pytest.mark.parametrize(("path", "name"), named_parts())
def test_name_is_defined_in_its_file(path: str, name: str) -> None:
    definition = _DEFINITION.format(name=re.escape(name))
    assert re.search(definition, path_of(path).read_text(encoding="utf-8"))


def test_ten_questions_are_answered() -> None:
    """Each with a file."""
    rows = re.findall(r"(?m)^\| (.+\?) \| (.+) \|$", ANSWERS)
    assert len(rows) >= 10
    assert [question for question, answer in rows if "/" not in answer] == []
