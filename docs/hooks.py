"""Lead links out of `docs/` nowhere on the site: there the rest of the repository is no page."""

from __future__ import annotations

import re

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return the page with each such link as its text and the file's path."""
    return _OUTSIDE.sub(_as_text, markdown)


def _as_text(link: re.Match[str]) -> str:
    text, path = link[1], link[2]
    return text if path in text.strip("`") else f"{text} (`{path}` in the repository)"
