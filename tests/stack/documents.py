"""The blocks of a page of the documentation."""

from __future__ import annotations

import re

from lokikit.stack.kit_files import kit_root

_BLOCK = re.compile(r"(<!-- \w+ -->\n)?```(\w+)\n(.*?)```", re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """The page's blocks in a language, but for those that a comment marks as another's."""
    text = (kit_root() / "docs" / page).read_text()
    return [body for mark, kind, body in _BLOCK.findall(text) if kind == language and not mark]


def marked_block(page: str, mark: str) -> str:
    """The block that a comment marks."""
    text = (kit_root() / "docs" / page).read_text()
    (body,) = (one for comment, _, one in _BLOCK.findall(text) if f" {mark} " in comment)
    return str(body)
