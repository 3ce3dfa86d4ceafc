"""What the tests install: each package by its version and by the hashes of its files."""

from __future__ import annotations

import re

from lokikit.stack.kit_files import kit_root

LOCK = (kit_root() / "tests/requirements.lock").read_text()
PINNED = re.compile(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", re.MULTILINE)


def test_what_is_asked_for_is_what_is_locked() -> None:
    """The lock has each version that is asked for on the Pythons that it is for."""
    lines = (kit_root() / "tests/requirements.txt").read_text().splitlines()
    asked = [line for line in lines if 'python_version < "3.11"' not in line]
    assert set(PINNED.findall("\n".join(asked).lower())) <= set(PINNED.findall(LOCK.lower()))


def test_each_package_has_a_hash() -> None:
    """Pip and uv refuse a file that is not one of those that were locked."""
    texts = LOCK + (kit_root() / "tests/installer.lock").read_text()
    blocks = re.split(r"\n(?=[\w.-]+(?:\[[\w,-]+\])?==)", texts)[1:]
    assert len(blocks) > 100
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
