"""The page's static files, from memory: a browser loads all of them before it shows a line."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request

STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain",
}
_FILES = {str(path.relative_to(STATIC)): path for path in STATIC.rglob("*") if path.is_file()}
_NOT_MODIFIED, _NOT_FOUND = 304, 404


async def static_file(request: Request) -> Response:
    """Send the file of that name, or 304 when the browser has it."""
    return _answer(request, request.path_params["name"])


async def shell(request: Request) -> Response:
    """Send the document of every view; its scripts request the content."""
    return _answer(request, "index.html")


def _answer(request: Request, name: str) -> Response:
    path = _FILES.get(name)
    if path is None:
        return Response(status_code=_NOT_FOUND)
    changed_ns = path.stat().st_mtime_ns
    tag = {"ETag": f'"{changed_ns}"'}
    if request.headers.get("if-none-match") == tag["ETag"]:
        return Response(status_code=_NOT_MODIFIED, headers=tag)
    return Response(_content(path, changed_ns), media_type=_TYPES[path.suffix], headers=tag)


@lru_cache(maxsize=64)
def _content(path: Path, _changed_ns: int) -> bytes:
    return path.read_bytes()
