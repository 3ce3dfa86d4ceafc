"""Lead links out of `docs/` nowhere on the site: there the rest of the repository is no page."""

from __future__ import annotations

import re

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return the page with each such link as its text and the file's path."""
    return _OUTSIDE.sub(
        lambda link: (
            link[1]
            if link[2] in link[1].strip("`")
            else f"{link[1]} (`{link[2]}` in the repository)"
        ),
        markdown,
    )
