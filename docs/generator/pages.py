"""The generated blocks of the pages: where they stand, and what stands in them.

A block of a page lies between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from docs.generator import contract, figures, lookups, settings_tables
from tests.benchmarks import markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"(<!-- generated: ([\w -]+) -->\n).*?(<!-- end -->)", re.DOTALL)
BLOCKS: dict[str, Callable[[], str]] = {
    **figures.BLOCKS,
    **settings_tables.BLOCKS,
    **contract.BLOCKS,
    **lookups.BLOCKS,
}


def written_pages() -> Iterator[Path]:
    """Each page that may hold generated blocks."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").glob("*.md"))


def generated(text: str) -> str:
    """Return the text of a page with the blocks as they have to be.

    Raises:
        KeyError: no block has that name.
    """
    return _BLOCK.sub(lambda block: f"{block[1]}{BLOCKS[block[2]]()}\n{block[3]}", text)


def names(text: str) -> list[str]:
    """Return the names of the blocks of a page."""
    return [block[2] for block in _BLOCK.finditer(text)]


def pages() -> dict[Path, str]:
    """Return the text of each page that is generated, in whole or in part."""
    texts = {path: generated(path.read_text(encoding="utf-8")) for path in written_pages()}
    return {**texts, markdown.FILE: markdown.page()}
