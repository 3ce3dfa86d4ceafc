"""One line that is refused for ever becomes a dead letter of `LokiHandler`; the rest arrives."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from tests.faults import POISON, FaultProxy, Mode
from tests.programs.writer import LONG_BYTES
from tests.stack.pushing import (
    Programs,
    Writing,
    assert_same,
    new_service,
    numbered,
    stored_numbers,
)

from lokikit.spool.spool import DEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.stack.engines import Running

RECORDS = 2_500


def check(
    programs: Programs, spool: Path, url: str, loki_url: str, poison: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Log with one poisonous line, and have all others stored; its dead letter, the statistics."""
    service = new_service()
    handler = {"spool_dir": str(spool)}
    writing = Writing(url, service, RECORDS, poison=poison, handler=handler)
    told = programs.write(writing).report("closed")
    expected = numbered({0: RECORDS})
    del expected[0, RECORDS // 2]
    assert_same(stored_numbers(loki_url, service), expected)
    (letter,) = (spool / DEAD_LETTERS).read_text().splitlines()
    assert f"line 0 {RECORDS // 2}" in letter
    return json.loads(letter), told["stats"]


def test_refused_line(loki_url: str, programs: Programs, tmp_path: Path) -> None:
    """A line that is too old is kept with Loki's reason and counted."""
    letter, stats = check(programs, tmp_path / "spool", loki_url, loki_url, "old")
    assert "too old" in letter["reason"]
    assert stats["dead"] == 1
    assert sum(stats["dropped"].values()) == 1


def test_line_with_an_id_that_is_too_long_for_loki(
    loki_url: str, programs: Programs, tmp_path: Path
) -> None:
    """It arrives: its metadata is cut to what Loki takes, and the line has the whole id."""
    service = new_service()
    handler = {"spool_dir": str(tmp_path / "spool")}
    told = programs.write(
        Writing(loki_url, service, RECORDS, poison="ids", handler=handler)
    ).report("closed")
    assert_same(stored_numbers(loki_url, service), numbered({0: RECORDS}))
    assert told["stats"]["dropped"] == {}


def test_line_over_the_limit_of_loki(
    make_loki: Callable[..., Running], programs: Programs, tmp_path: Path
) -> None:
    """A line that is longer than a strict Loki takes is kept with its reason and counted."""
    limits = {"max_line_size_truncate": False, "max_line_size": "16KB"}
    assert LONG_BYTES > 16 * 1024
    url = make_loki(limits=limits).url
    letter, stats = check(programs, tmp_path / "spool", url, url, "long")
    assert stats["dead"] == 1
    assert "max entry size" in letter["reason"]
    assert stats["dropped"] == {"too_large": 1}


def test_line_that_gets_500_for_ever(loki_url: str, programs: Programs, tmp_path: Path) -> None:
    """A line that something on the way answers with 500 each time does not hold up the others."""
    assert POISON == b"poison"
    with contextlib.closing(FaultProxy(loki_url)) as proxy:
        proxy.switch(Mode.POISON)
        letter, stats = check(programs, tmp_path / "spool", proxy.url, loki_url, "marked")
    assert letter["reason"].startswith("500")
    assert stats["dead"] == 1
