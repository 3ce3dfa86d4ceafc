"""What the site has beside the text of `docs/`: the commands; links out of `docs/` as text."""

from __future__ import annotations

import re

from docs.generator.commands import reference

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)#]+)(?:#[^)]*)?\)")
_COMMANDS = "<!-- at build: commands -->"


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return the page with the commands where it asks for them.

    A link out of `docs/` becomes its text and the file's path: on the site the rest of the
    repository is no page.
    """
    if _COMMANDS in markdown:
        markdown = markdown.replace(_COMMANDS, reference())
    return _OUTSIDE.sub(_as_text, markdown)


def _as_text(link: re.Match[str]) -> str:
    text, path = link[1], link[2]
    return text if path in text.strip("`") else f"{text} (`{path}` in the repository)"
