"""What a benchmark measured, with machine, versions and date: one JSON file for each benchmark."""

from __future__ import annotations

import json
import math
import os
import platform
import re
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Cell = str | int | float | None

FOLDER = Path(__file__).with_name("results")
_PEERS = Path(__file__).with_name("peers.txt")
_GIB = 1 << 30
_DIGITS = 6
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Table:
    """One table of figures.

    Args:
        name: of the table within its benchmark, by which a page asks for it.
        columns: heads of the columns, with the unit of each.
        rows: texts and numbers, as many in a row as there are columns; `None` is no figure.
        head: sentences before it: what is measured, and how.
        note: sentences behind it.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    head: str = ""
    note: str = ""

    def value(self, column: str, *row: str) -> float:
        """Return the number in `column` of the row that begins with the cells `row`."""
        (cells,) = (one for one in self.rows if tuple(one[: len(row)]) == row)
        found = cells[self.columns.index(column)]
        assert isinstance(found, int | float), (self.name, column, row, found)
        return found

    def column(self, name: str) -> dict[str, float]:
        """Return the numbers of a column by the first cell of their rows."""
        place = self.columns.index(name)
        cells = ((str(row[0]), row[place]) for row in self.rows)
        return {name: value for name, value in cells if isinstance(value, int | float)}


@dataclass(frozen=True)
class Result:
    """The tables of one run of a benchmark, and what has to be known to judge them.

    Args:
        benchmark: its name, as `python -m tests.benchmarks` takes it.
        title: the head of its section.
        date: when it ended.
        machine: `cpu`, `cores`, `memory_gib`, `kernel`, as far as known.
        versions: name of a program or package -> its version.
        load_average: of one minute, before and after; empty when nobody wrote it down.
        tables: the figures.
        remarks: sentences that whoever measured adds.
    """

    benchmark: str
    title: str
    date: str
    machine: Mapping[str, str | int]
    versions: Mapping[str, str]
    load_average: Sequence[float]
    tables: Sequence[Table]
    remarks: Sequence[str] = field(default=())

    def table(self, name: str) -> Table:
        """Return the table of this name."""
        (found,) = (one for one in self.tables if one.name == name)
        return found


def write(result: Result) -> Path:
    """Write the result into its file, in place of that of an earlier run."""
    path = FOLDER / f"{result.benchmark}.json"
    text = json.dumps(_plain(asdict(result)), indent=2, ensure_ascii=False, allow_nan=False)
    rows = re.sub(r"\[\n[^\[\]{}]*\]", lambda found: re.sub(r"\n *", " ", found[0]), text)
    path.write_text(f"{rows}\n", encoding="utf-8")
    return path


def read(path: Path) -> Result:
    """Return the result that `write` put into a file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Result(**{**content, "tables": [Table(**one) for one in content["tables"]]})


def _plain(value: Any) -> Any:
    """Return the value with numbers as exact as they were measured, and nothing for NaN."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    return value


def machine() -> dict[str, str | int]:
    """Return what the figures depend on of this machine."""
    text = _CPU_INFO.read_text(encoding="utf-8") if _CPU_INFO.exists() else ""
    model = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return {
        "cpu": model[1] if model else platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / _GIB),
        "kernel": f"{platform.system()} {platform.release()}",
    }


def versions(packages: Sequence[str], programs: Sequence[str]) -> dict[str, str]:
    """Return the versions of Python, lokikit, packages (or pins of `peers.txt`) and programs."""
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", _PEERS.read_text(encoding="ascii"), re.MULTILINE))
    return {
        "Python": platform.python_version(),
        "lokikit": version("lokikit"),
        **{name: pins.get(name) or version(name) for name in packages},
        **{name: found for name in programs if (found := _program_version(name))},
    }


def _program_version(name: str) -> str:
    try:
        done = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    found = re.search(r"\bv?(\d+\.\d+[\w.+-]*)", done.stdout + done.stderr)
    return found[1] if found else ""


def now() -> str:
    """Return the time to the minute."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
