"""README and pages hold what the code and the measured figures say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from docs.generator.pages import BLOCKS, generated, names, written_pages
from tests.benchmarks import markdown

if TYPE_CHECKING:
    from pathlib import Path

REPAIR = "python -m docs.generator writes it again"


@pytest.mark.parametrize("path", list(written_pages()), ids=lambda path: path.name)
def test_a_page_is_as_it_is_generated(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == generated(text), REPAIR


def test_the_results_are_as_they_are_generated() -> None:
    assert markdown.FILE.read_text(encoding="utf-8") == markdown.page(), REPAIR


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_a_block_can_be_written(name: str) -> None:
    assert BLOCKS[name]().strip()


def test_each_begin_of_a_block_has_its_end() -> None:
    for path in written_pages():
        text = path.read_text(encoding="utf-8")
        begun = re.findall(r"^<!-- generated: ([\w -]+) -->$", text, re.MULTILINE)
        assert begun == names(text), path.name


_MEASURED = re.compile(
    r"\d ?(?:ms|us|µs)\b|lines/s|lines a second|load average|\d of \d[\d,]* lines"
)
"""Units of what is measured; a limit is in seconds, bytes or lines."""


@pytest.mark.parametrize("path", list(written_pages()), ids=lambda path: path.name)
def test_a_measured_figure_stands_in_a_block_that_is_generated(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    own = re.sub(
        r"<!-- generated: .*?<!-- end -->|^ *```.*?^ *```|^#[^\n]*",
        "",
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    assert [line for line in own.splitlines() if _MEASURED.search(line)] == []


def test_text_inside_a_block_is_replaced() -> None:
    page = "a\n<!-- generated: figures caller -->\nby hand\n<!-- end -->\nb\n"
    written = generated(page)
    assert "by hand" not in written
    assert written.startswith("a\n")
    assert written.endswith("<!-- end -->\nb\n")
    assert generated(written) == written


def test_a_block_that_nobody_writes_is_an_error() -> None:
    with pytest.raises(KeyError, match="no such"):
        generated("<!-- generated: no such -->\n<!-- end -->\n")
