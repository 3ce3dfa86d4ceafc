"""What of the page was written elsewhere: whole, and as it was published."""

from __future__ import annotations

import hashlib

import pytest

from lokikit.page.static_files import STATIC

# npm: uplot 1.6.32 (MIT), `dist/`
PUBLISHED = {
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
    "uPlot.LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_vendored_file_is_the_published_one(name: str) -> None:
    held = (STATIC / "vendor" / name).read_bytes()
    assert hashlib.sha256(held).hexdigest() == PUBLISHED[name]


def test_nothing_else_is_vendored() -> None:
    assert {path.name for path in (STATIC / "vendor").iterdir()} == PUBLISHED.keys()


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_no_script_reads_markup(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "http://www.w3.org/1999",
    ):
        assert word not in text
