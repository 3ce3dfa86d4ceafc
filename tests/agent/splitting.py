"""Lines for the split files, what is in these, and the page that shows how they are had."""

from __future__ import annotations

import gzip
import json
import re
import uuid
from typing import TYPE_CHECKING, Any

from tests.stack.pushing import stored
from tests.waiting import eventually

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.agent.running import RunningAgent

PAGE = (kit_root() / "docs/split-files.md").read_text()
BLOCKS = re.findall(r"^```\w*\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def block(mark: str) -> str:
    """The one block of the page that contains `mark`."""
    (found,) = [one for one in BLOCKS if mark in one]
    return str(found)


def own(level: Any, logger: str = "", **more: Any) -> str:
    """A line of JSON with a blank where our formatter has none: it must come out with it."""
    named = {"logger": logger} if logger else {}
    return json.dumps({"level": level, **named, "message": "größer \x00", **more})


def new_service() -> str:
    """A service that no other test uses."""
    return f"split-{uuid.uuid4().hex[:12]}"


def append(agent: RunningAgent, service: str, lines: Sequence[str]) -> None:
    """Add lines to a file that the agent follows; its name is their service."""
    with (agent.logs / f"{service}.log").open("a", newline="") as log:
        log.write("".join(f"{line}\n" for line in lines))


def numbered(numbers: range) -> list[str]:
    """Lines that go to `info.log`, each with a number."""
    return [json.dumps({"level": "info", "logger": "app", "n": number}) for number in numbers]


def lines_of(path: Path) -> list[str]:
    """The whole lines of a file, which may be compressed."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode().rpartition("\n")[0].split("\n") if data else []


def in_loki(url: str, service: str, count: int) -> list[str]:
    """The lines of `service` in Loki, once there are `count` of them."""
    return eventually(
        lambda: found if len(found := [one.line for one in stored(url, service)]) >= count else []
    )
