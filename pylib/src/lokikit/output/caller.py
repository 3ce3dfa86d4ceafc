"""The field `caller`: where a record was logged."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

from lokikit.output.safe_text import text

_MAX_CACHED = 4096
"""Source locations; the least recently used make room for new."""


@lru_cache(_MAX_CACHED)
def caller(path: str, line: int, function: str | None) -> str:
    """Return `path/to/file.py:42 function`, with the path below its import folder."""
    return text(f"{_short_path(path)}:{line} {function or ''}".rstrip())


def _short_path(path: str) -> str:
    """Return the path below its import folder, or below the current folder."""
    import_folders = sys.path or ()  # `None` late in the end of a process
    folders = sorted({str(Path(folder).absolute()) for folder in (*import_folders, ".")}, key=len)
    for folder in reversed(folders):
        if path.startswith(folder + os.sep):
            return path[len(folder) + 1 :]
    return path
