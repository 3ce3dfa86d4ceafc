"""What several tests of one module each watch."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

import lokikit
from lokikit.output.stdout_handler import StdoutHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Call it for the lines so far; the root logger lets no message through."""
    stream = io.StringIO()
    handler = StdoutHandler(stream)
    handler.setFormatter(lokikit.JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.CRITICAL)
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)
