"""The page with the runbooks of the alert rules."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from starlette.responses import HTMLResponse

from lokikit.stack.kit_files import runbooks_file

if TYPE_CHECKING:
    from starlette.requests import Request

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Runbooks · lokikit</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/page.css"></head>
<body class="runbook"><main>{}</main></body></html>
"""


def runbook_page(_request: Request) -> HTMLResponse:
    """Return all runbooks; the anchor of a section is the uid of its rule."""
    return HTMLResponse(_PAGE.format(runbooks_html()))


@cache
def runbooks_html() -> str:
    """Return the kit's runbooks as HTML; HTML within their text stays text."""
    reader = MarkdownIt("js-default")
    tokens = reader.parse(runbooks_file().read_text(encoding="utf-8"))
    for opening, inner in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", inner.content)
    html: str = reader.renderer.render(tokens, reader.options, {})
    return html
