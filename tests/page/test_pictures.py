"""The pictures of README and docs: each is shown, and small."""

from __future__ import annotations

import re

import pytest

from lokikit.stack.kit_files import kit_root

IMAGES = kit_root() / "docs/images"
MAX_BYTES = 200_000
TEXTS = [(kit_root() / name).read_text() for name in ("README.md", "docs/page.md")]
SHOWN = re.findall(r"!\[[^\]]+\]\((?:docs/)?images/([\w.-]+)\)", "".join(TEXTS))


def test_every_picture_is_shown_and_there() -> None:
    assert {path.name for path in IMAGES.iterdir()} == set(SHOWN)


@pytest.mark.parametrize("name", sorted(set(SHOWN)))
def test_a_picture_is_small(name: str) -> None:
    assert (IMAGES / name).stat().st_size < MAX_BYTES
