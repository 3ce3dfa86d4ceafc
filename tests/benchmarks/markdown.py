"""Results as Markdown: the tables of `RESULTS.md` and of the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.measurement import FOLDER, Result, Table, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.measurement import Cell

FILE = Path(__file__).with_name("RESULTS.md")
_HEAD = """\
# Results of `make bench`

`python -m docs.generator` writes this page from `results/*.json`, and `python -m tests.benchmarks`
writes those: the figures of one run each, peers and lokikit in turn on one machine. Measure again
with `make bench`, or with the command below the head of a section. Ratios compare what ran side by
side; absolute figures of different sections come from different days.
"""
ORDER = (
    "caller",
    "middleware",
    "push",
    "spool",
    "ship",
    "agent",
    "dashboards",
    "store",
    "growth",
    "page",
    "replicas",
)
_WHOLE_FROM = 100


def results() -> dict[str, Result]:
    """Return the result of each benchmark that has been run, in the order of the page."""
    paths = {name: FOLDER / f"{name}.json" for name in ORDER}
    return {name: read(path) for name, path in paths.items() if path.exists()}


def page() -> str:
    """Return the text of `RESULTS.md`."""
    return _HEAD + "".join(f"\n{section(one)}\n" for one in results().values())


def section(result: Result) -> str:
    """Return the tables of a result below its title."""
    tables = [table(one) for one in result.tables]
    return "\n\n".join([f"## {result.title}", circumstances(result), *tables, *result.remarks])


def circumstances(result: Result) -> str:
    """Return where, when and with what a result was measured, and how to repeat it."""
    parts = [result.date, *_machine(result)]
    parts += [f"{name} {version}" for name, version in result.versions.items()]
    load = " and ".join(map(number, result.load_average))
    parts += [f"load average before and after: {load}"] if load else []
    parts += [] if "cpu" in result.machine else ["the machine was not recorded"]
    return f"`python -m tests.benchmarks {result.benchmark}`: {', '.join(parts)}."


def _machine(result: Result) -> list[str]:
    units = {"cores": " cores", "memory_gib": " GiB of memory"}
    return [f"{value}{units.get(name, '')}" for name, value in result.machine.items()]


def table(one: Table) -> str:
    """Return a table between its sentences."""
    rows = [[cell(of) for of in row] for row in one.rows]
    lines = [one.columns, ["---"] * len(one.columns), *rows]
    parts = [one.head, "\n".join(f"| {' | '.join(line)} |" for line in lines), one.note]
    return "\n\n".join(part for part in parts if part)


def cell(value: Cell) -> str:
    """Return a text or a number as a cell."""
    return "" if value is None else value if isinstance(value, str) else number(value)


def number(value: float) -> str:
    """Return a number with as many digits as a reader can use: three of a small one."""
    is_whole = isinstance(value, int) or abs(value) >= _WHOLE_FROM
    return f"{value:,.0f}" if is_whole else f"{value:.3g}"


def tables(found: Sequence[Table]) -> str:
    """Return several tables below each other."""
    return "\n\n".join(map(table, found))
