"""The screen of `lokikit top`, fitted to the size of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from lokikit.cli.rendering import as_headline
from lokikit.fields import LABEL_SERVICE
from lokikit.output.terminal_text import escape_to_one_line
from lokikit.times import format_time

if TYPE_CHECKING:
    from lokikit.monitoring.alert_rules import Breach
    from lokikit.monitoring.overview import Overview, ServiceOverview
    from lokikit.query.results import LogEntry

_WIDE = 90
"""Columns from which on the bars and the environment of a service are shown."""
_BARS = " ▁▂▃▄▅▆▇█"
_PLAIN_BARS = " .:-=+*#@"
_MUCH = 0.05
"""Error ratio from which on it is red, as on the dashboards."""
_MOST_ROWS = 50
_HEAD_ROWS = 2
_SECTION_ROWS = 2
"""A blank line and the names of the columns."""
_TIME = slice(11, 19)
_CUT_FIRST = ("service", "exception", "of")
"""Columns of single words, which are cut on a narrow screen so that the numbers stay."""
_SEVERITIES = {"critical": "bold red", "warning": "yellow"}


@dataclass
class Screen:
    """The content of the screen.

    Args:
        title: span of time and address of the Loki.
        overview: overview of the services, `None` before the first answer.
        breaches: series over their thresholds, `None` before the first answer.
        updated: time of the overview.
        problem: error of the last query; empty after an answer.
        live: True when it must fit into the height of the terminal.
    """

    title: str
    overview: Overview | None = None
    breaches: Sequence[Breach] | None = None
    updated: str = ""
    problem: str = ""
    live: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Return the rows that fit the screen."""
        yield self._head()
        if self.problem:
            yield Text(escape_to_one_line(self.problem), "bold red")
        if self.overview is None:
            return
        wide = options.max_width >= _WIDE
        bars = _BARS if options.encoding.startswith("utf") else _PLAIN_BARS
        sections = [
            _rules(self.breaches or ()),
            _services(self.overview.services, bars if wide else ""),
            _exceptions(self.overview.exceptions),
            _errors(self.overview.errors),
        ]
        height = (options.height or console.height) if self.live else None
        yield Group(*_fitting(sections, height))

    def _head(self) -> Text:
        head = Text("lokikit top", "bold", overflow="ellipsis", no_wrap=True)
        for part in (self.updated or "waiting for the first answer", self.title):
            head.append(f"  {part}", "not bold")
        return head


@dataclass
class _Section:
    """A table, with the rows to choose from.

    Args:
        table: the table with its columns.
        rows: all rows; the first are shown, as many as fit.
        empty: text in place of a table without rows.
    """

    table: Table
    rows: Sequence[tuple[RenderableType, ...]]
    empty: str


def _fitting(sections: Sequence[_Section], height: int | None) -> list[RenderableType]:
    """Return the sections one below the other; on a low screen only the first."""
    if height is not None:
        sections = sections[: max(1, (height - _HEAD_ROWS) // (_SECTION_ROWS + 1))]
    room = _shared([len(one.rows) for one in sections], height)
    shown = [_cut(one, rows) for one, rows in zip(sections, room, strict=True)]
    return [part for one in shown for part in (Text(), one)]


def _cut(section: _Section, rows: int) -> RenderableType:
    if not section.rows:
        return Text(section.empty, "green", overflow="ellipsis", no_wrap=True)
    for row in section.rows[:rows]:
        section.table.add_row(*row)
    return section.table


def _shared(wanted: Sequence[int], height: int | None) -> list[int]:
    """Return the number of rows for each section, dealt in turn, so that each gets some."""
    if height is None:
        return [min(one, _MOST_ROWS) for one in wanted]
    left = height - _HEAD_ROWS - _SECTION_ROWS * len(wanted)
    rows = [0] * len(wanted)
    while left > 0 and any(own < one for own, one in zip(rows, wanted, strict=True)):
        for number, one in enumerate(wanted):
            if left > 0 and rows[number] < one:
                rows[number], left = rows[number] + 1, left - 1
    return rows


def _table(*columns: str, right: Sequence[str] = (), folds: str = "") -> Table:
    """Return a table with rows of one line; the column `folds` takes the remaining width."""
    table = Table(box=None, pad_edge=False, header_style="dim", expand=bool(folds))
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in right else "left",
            no_wrap=name not in _CUT_FIRST,
            overflow="ellipsis",
            min_width=len(name),
            ratio=1 if name == folds else None,
        )
    return table


def _rules(breaches: Sequence[Breach]) -> _Section:
    rows = []
    for one in breaches:
        service = one.labels.get(LABEL_SERVICE, "")
        others = (value for name, value in one.labels.items() if name != LABEL_SERVICE)
        who = " ".join(escape_to_one_line(value) for value in (service, *others) if value)
        shown = "no data" if one.value is None else f"{one.value:.4g} {one.rule.limit}"
        name = Text(one.rule.title, _SEVERITIES.get(one.rule.severity, ""))
        rows.append((name, who, escape_to_one_line(one.problem) or shown))
    table = _table("over the threshold", "of", "value", folds="value")
    return _Section(table, rows, "No rule is over its threshold.")


def _services(services: Sequence[ServiceOverview], bars: str) -> _Section:
    """Return the table of services; without bars and environment when `bars` is empty."""
    rows = []
    for one in services:
        name, *places = map(escape_to_one_line, one.key)
        ratio = Text(f"{one.error_ratio:.1%}", "red" if one.error_ratio > _MUCH else "")
        middle = (" ".join(places), _sparkline(one.counts, bars)) if bars else ()
        rows.append((Text(name, "cyan"), *middle, f"{one.lines:,}", ratio, _ago(one.last_seen_s)))
    middle_names = ("env", "volume") if bars else ()
    names = ("service", *middle_names, "lines", "errors", "last seen")
    return _Section(_table(*names, right=names[-3:]), rows, "No line came in this time.")


def _exceptions(exceptions: Sequence[tuple[str, str, int]]) -> _Section:
    rows = [
        (Text(escape_to_one_line(service), "cyan"), escape_to_one_line(kind), f"{count:,}")
        for service, kind, count in exceptions
    ]
    table = _table("service", "exception", "lines", right=("lines",))
    return _Section(table, rows, "No exception was logged in this time.")


def _errors(errors: Sequence[LogEntry]) -> _Section:
    rows = [
        (
            Text(format_time(one.timestamp_ns)[_TIME], "dim"),
            Text(escape_to_one_line(one.labels.get(LABEL_SERVICE, "")), "cyan"),
            as_headline(one),
        )
        for one in errors
    ]
    table = _table("time", "service", "newest errors", folds="newest errors")
    return _Section(table, rows, "No error was logged in this time.")


def _sparkline(counts: Sequence[int], bars: str) -> str:
    """Return a bar for each count, relative to the highest; only a count of 0 has no bar."""
    most = max(counts)
    steps = len(bars) - 1
    return "".join(bars[-(-count * steps // most)] for count in counts)


def _ago(seconds: int) -> str:
    """Return an upper limit of the age: `<30s`, `<5m`."""
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= unit:
            return f"<{-(-seconds // unit)}{name}"
    return f"<{seconds}s"
