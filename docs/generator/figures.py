"""Measured figures for the pages, from `tests/benchmarks/results`: sentences and tables."""

from __future__ import annotations

import statistics
import textwrap
from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks import markdown
from tests.benchmarks.markdown import number
from tests.benchmarks.measurement import FOLDER, Result, read

if TYPE_CHECKING:
    from collections.abc import Callable

_OURS = "lokikit"
_PEER = "python-json-logger, orjson"
_SIX = "six scalars"
_DURABLE = "`logger.info`, durable, CPU"
_STORE, _LOKI = "embedded", "loki"


def _result(benchmark: str) -> Result:
    return read(FOLDER / f"{benchmark}.json")


def _table(benchmark: str, name: str) -> str:
    return markdown.table(_result(benchmark).table(name))


def _run(benchmark: str) -> str:
    result = _result(benchmark)
    return "\n\n".join([markdown.circumstances(result), *result.remarks])


def _caller() -> str:
    """What one call costs, and where the peer is furthest ahead."""
    file, pipe, others = (_result("caller").table(name) for name in ("file", "pipe", "others"))
    ratios = {
        **{f"{row}, file": ratio for row, ratio in file.column("of the peer").items()},
        **{f"{row}, pipe": ratio for row, ratio in pipe.column("of the peer").items()},
    }
    worst, best = max(ratios, key=ratios.__getitem__), min(ratios, key=ratios.__getitem__)
    mean = statistics.geometric_mean(ratios.values())
    more = "; ".join(f"{name}: {number(us)} us" for name, us in others.column("file").items())
    return (
        f"A call with six extra fields takes {number(file.value(_OURS, _SIX))} us of CPU into a "
        f"file and {number(pipe.value(_OURS, _SIX))} us into a pipe; python-json-logger with "
        f"orjson takes {number(file.value(_PEER, _SIX))} and {number(pipe.value(_PEER, _SIX))}. "
        f"Over all {len(file.rows)} kinds of calls and both sinks, lokikit takes {number(mean)} "
        f"times what this peer does: most for `{worst}` ({number(ratios[worst])}), least for "
        f"`{best}` ({number(ratios[best])}). Further peers, into a file: {more}."
    )


def _middleware() -> str:
    """What the line of a request adds, beside the peer of each framework."""
    rows = _result("middleware").table("requests").rows
    ours = {row[0]: row[4] for row in rows if row[1] == _OURS}
    parts = [
        f"{row[0]} {markdown.cell(ours[row[0]])} us ({row[1]}: {markdown.cell(row[4])})"
        for row in rows
        if row[1] not in {"bare", _OURS}
    ]
    return f"The line of a request adds to the CPU time of the request: {', '.join(parts)}."


def _push() -> str:
    """What the handler costs, delivers and loses, beside its peers."""
    result = _result("push")
    costs, deliveries = result.table("costs"), result.table("deliveries")
    rates = deliveries.column("Loki, delivered/s")
    best = max((name for name in rates if name != _OURS), key=rates.__getitem__)
    beside = costs.value("of lokikit's stdout only", "lokikit, stdout and push")
    alone = costs.value("of lokikit's stdout only", _OURS)
    shapes = result.table("shapes").column("of the best peer")
    held = ", ".join(f"{name} {number(ratio)}" for name, ratio in shapes.items())
    return (
        f"A call that writes to stdout and pushes costs {number(beside)} times what stdout alone "
        f"costs; a call that only pushes, {number(alone)} times. `LokiHandler` delivered "
        f"{number(rates[_OURS])} lines a second into Loki, the best peer, {best}, "
        f"{number(rates[best])}. In an outage {_losses('lost in an outage, %')}; with forked "
        f"children {_losses('lost with forked children, %')}. Lines a second beside the best peer "
        f"of each, by what the lines hold: {held}."
    )


def _losses(column: str) -> str:
    lost = _result("push").table("deliveries").column(column)
    ours = lost.pop(_OURS)
    least, most = map(number, (min(lost.values()), max(lost.values())))
    return f"lokikit lost {number(ours)} % of the lines and its peers {least} to {most} %"


def _carriers() -> str:
    """What the agents cost, and how soon a query finds a line."""
    result = _result("agent")
    throughput, delays = result.table("throughput"), result.table("delays")
    agent = "Fluent Bit, the kit's"
    senders = _result("ship").table("senders").column("lines/s")
    floor = senders["lokikit ship"] / senders["floor: built batches"]
    return (
        f"`lokikit ship` carries {number(floor)} of the lines a second that a bare loop pushes in "
        "batches built beforehand. Fluent Bit with the kit's configuration carries "
        f"{number(throughput.value('of plain', agent))} of what its plain configuration does, at "
        f"{number(throughput.value('together, of plain', agent))} times the CPU of agent and Loki "
        f"together. A query finds a line {number(delays.value('median, s', agent))} s after it was "
        f"written, 99 of 100 within {number(delays.value('p99, s', agent))} s."
    )


def _spool() -> str:
    """What the spool costs beside SQLite."""
    costs = _result("spool").table("costs")
    parts = []
    for column, what in (("append, CPU", "an append"), (_DURABLE, "a call of `logger.info`")):
        us = costs.column(column)
        ours = us.pop("own files")
        least, most = (number(one / ours) for one in (min(us.values()), max(us.values())))
        parts.append(f"{what} takes {least} to {most} times the CPU ({number(ours)} us)")
    return f"In SQLite's WAL mode {' and '.join(parts)}."


def _store() -> str:
    """What the store costs beside Loki: faster and slower."""
    engines = _result("store").table("engines")
    if _LOKI not in engines.columns:
        return "This run had no Loki beside it."
    of_loki = engines.column("loki / store")
    boards = [ratio for name, ratio in of_loki.items() if name.startswith("dashboard ")]
    ingest = "ingest, lines/s"
    return (
        f"The kit's dashboards take Loki {number(min(boards))} to {number(max(boards))} times as "
        f"long. The lines take {_both('disk, MB')} MB of disk, the process at most "
        f"{_both('greatest memory, ingest, MB')} MB of memory while it takes lines in, a start "
        f"{_both('start, empty, s')} s. **The store takes in {_both(ingest)} lines a second**, "
        f"{number(1 / of_loki[ingest])} of Loki's rate."
    )


def _page() -> str:
    """How soon the page shows something, in a browser that knows it and in a new one."""
    first = _result("page").table("first")
    content, line = first.column("first content, ms"), first.column("first line, ms")
    return (
        "With the demo's lines a browser that has had the page before shows its first content "
        f"after {number(content['seen'])} ms and the first line after {number(line['seen'])} ms, a "
        f"new browser after {number(content['new'])} and {number(line['new'])} ms."
    )


def _both(row: str) -> str:
    engines = _result("store").table("engines")
    ours, loki = (number(engines.value(engine, row)) for engine in (_STORE, _LOKI))
    return f"{ours} (Loki {loki})"


def _in_short() -> str:
    """The README's sentence: cost, delivery, losses of the peers, and where a peer wins."""
    caller, push = _result("caller"), _result("push").table("deliveries")
    file = caller.table("file")
    rates, lost = push.column("Loki, delivered/s"), push.column("lost in an outage, %")
    best = max((name for name in rates if name != _OURS), key=rates.__getitem__)
    ratios = [
        *file.column("of the peer").values(),
        *caller.table("pipe").column("of the peer").values(),
    ]
    return (
        f"Measured side by side: a call with six fields takes {number(file.value(_OURS, _SIX))} us "
        f"of CPU (python-json-logger with orjson: {number(file.value(_PEER, _SIX))}; over "
        f"{len(file.rows)} kinds of calls {number(statistics.geometric_mean(ratios))} times its "
        f"cost, at most {number(max(ratios))}); the push handler delivers {number(rates[_OURS])} "
        f"lines a second to Loki and loses {number(lost[_OURS])} % in an outage of 5 s ({best}: "
        f"{number(rates[best])} and {number(lost[best])} %). All figures, also where a peer is "
        "faster, and how to measure again: [what it costs](docs/costs.md)."
    )


def _sentences(of: Callable[[], str]) -> Callable[[], str]:
    return lambda: textwrap.fill(of(), 100, break_long_words=False, break_on_hyphens=False)


BLOCKS: dict[str, Callable[[], str]] = {
    "figures in short": _sentences(_in_short),
    "figures caller": _sentences(_caller),
    "figures middleware": _sentences(_middleware),
    "figures push": _sentences(_push),
    "figures carriers": _sentences(_carriers),
    "figures spool": _sentences(_spool),
    "figures store": _sentences(_store),
    "figures page": _sentences(_page),
    **{f"run {name}": partial(_run, name) for name in markdown.results()},
    "table caller file": partial(_table, "caller", "file"),
    "table caller pipe": partial(_table, "caller", "pipe"),
    "table middleware": partial(_table, "middleware", "requests"),
    "table push costs": partial(_table, "push", "costs"),
    "table push deliveries": partial(_table, "push", "deliveries"),
    "table push shapes": partial(_table, "push", "shapes"),
    "table ship": partial(_table, "ship", "senders"),
    "table agent": partial(_table, "agent", "throughput"),
    "table delays": partial(_table, "agent", "delays"),
    "table store": partial(_table, "store", "engines"),
    "table growth": partial(_table, "growth", "growth"),
}
