"""The web page as a part of the native stack."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from lokikit.stack.http_probe import answers
from lokikit.stack.kit_files import KIT, dashboard_files, kit_root, local_url, port, runbooks_file
from lokikit.stack.native.native_part import NativePart

PAGE_PART = "page"
PAGE_MODULES = ("starlette", "markdown_it", "uvicorn", "h11")
PAGE_PORT = "PAGE_PORT"
HEALTH_PATH = "/health"
"""Path that answers all users of this machine, with or without a password."""


def page_part(state: Path, loki_url: str, environ: Mapping[str, str] = os.environ) -> NativePart:
    """Return the page over the Loki of the stack in `state`, as a part."""
    page_port = port(PAGE_PORT, environ)
    url = local_url(PAGE_PORT, environ)
    return NativePart(
        PAGE_PART,
        (sys.executable, "-m", "lokikit", "page", "--port", str(page_port)),
        state / "logs/page.log",
        url,
        cwd=state,
        variables={"LOKI_URL": loki_url, "LOKIKIT_STATE": str(state), KIT: str(kit_root())},
        ports={PAGE_PORT: page_port},
        healthy=lambda: answers(url + HEALTH_PATH),
        reads=(runbooks_file(), *dashboard_files()),
    )
