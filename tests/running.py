"""Programs in a process of their own, and the lines that they log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from lokikit import fields as f


def run(source: str, **environ: str) -> list[dict[str, Any]]:
    """The lines of a program that writes nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        env={**os.environ, "LOG_FORMAT": "json", **environ},
        capture_output=True,
        check=False,
    )
    assert done.stderr == b"", done.stderr.decode()
    return [json.loads(line) for line in done.stdout.splitlines()]


def messages(lines: list[dict[str, Any]]) -> list[str]:
    """Theirs."""
    return [line[f.MESSAGE] for line in lines]
