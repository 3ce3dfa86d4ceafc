"""`lokikit query` and `lokikit tail`: lines and values that Loki has, and lines that arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from enum import Enum
from typing import TYPE_CHECKING

import typer

from lokikit.cli.clients import loki_from
from lokikit.cli.logql import place_shown
from lokikit.cli.output import console, note, wants_colour, whole_output, write
from lokikit.cli.rendering import as_raw, as_text, sample_as_json, samples_table
from lokikit.errors import SettingsError
from lokikit.query.client import Loki, is_log_query
from lokikit.query.results import LogEntry, Sample, as_json
from lokikit.times import NS_PER_S, format_time, parse_duration_ns, parse_span_ns

if TYPE_CHECKING:
    from lokikit.query.paging import Direction

Span = tuple[int, int]


class Output(str, Enum):
    """The forms in which entries are printed."""

    text = "text"
    jsonl = "jsonl"
    raw = "raw"


OUTPUT = typer.Option(
    Output.text, "--output", "-o", help="text to read, jsonl with all labels, raw lines only."
)


def query(  # noqa: PLR0913, PLR0917 - typer reads the options from the signature
    logql: str = typer.Argument(..., help="A LogQL query, for lines or for metrics."),
    since: str = typer.Option("", help="How far back: 90s, 30m, 1h, 2d, 1w; 1h by default."),
    start: str = typer.Option("", "--from", help="RFC 3339, a date, or a duration ago."),
    end: str = typer.Option(
        "", "--to", help="The end, as --from; now by default. Lines at this very time are left out."
    ),
    limit: int = typer.Option(
        1000, "--limit", "-n", min=0, help="Most lines to print; 0 prints all."
    ),
    forward: bool = typer.Option(  # noqa: FBT001 - typer reads the signature
        False, "--forward/--backward", help="Oldest first, or newest first."
    ),
    step: str = typer.Option(
        "", help="Metrics: time between two values; a single value at --to by default."
    ),
    output: Output = OUTPUT,
) -> None:
    """Print the lines, or the table of values, that a LogQL query finds.

    Times without a zone are UTC. All pages are fetched: each line is printed once.

        lokikit query '{service_name="shop"} | detected_level="error"' --since 15m

        lokikit query '{service_name="shop"} |= "order 17"' --from 2026-11-21 --limit 0 -o raw

        lokikit query 'sum by (service_name) (count_over_time({env="dev"}[1h]))'

    LOKI_URL names another Loki; LOKI_ORG_ID its tenant; LOKI_USERNAME and LOKI_PASSWORD, or
    LOKI_BEARER_TOKEN, are the credentials.
    """
    span = parse_span_ns(since, start, end, time.time_ns())
    is_for_lines = is_log_query(logql)
    if is_for_lines and step:
        raise SettingsError("--step is for metrics queries, and this query asks for lines.")
    loki = loki_from()
    with whole_output(), place_shown(logql):
        if is_for_lines:
            _print_entries(loki, logql, span, limit, output, forward=forward)
        else:
            _print_samples(_samples(loki, logql, span, step), output)


def tail(
    logql: str = typer.Argument(..., help="A LogQL query for lines."),
    since: str = typer.Option("1m", help="How far back to begin: 0s, 90s, 30m, 1h."),
    output: Output = OUTPUT,
) -> None:
    """Print the lines that arrive, until Ctrl-C.

    A lost connection is opened again, any number of times; the lines that arrived meanwhile are
    fetched, and each line is printed once.

        lokikit tail '{service_name=~".+"} | detected_level=~"error|critical"'
    """
    since_ns = time.time_ns() - parse_duration_ns(since, "--since")
    entries = loki_from().tail(
        logql, since=since_ns, on_lost=lambda error: note(f"{error} Trying again.")
    )
    show = renderer(output)
    with whole_output(), closing(entries):
        for entry in entries:
            write(show(entry), flush=True)


def _print_entries(  # noqa: PLR0913 - one for each option
    loki: Loki, logql: str, span: Span, limit: int, output: Output, *, forward: bool
) -> None:
    show, shown = renderer(output), 0
    wanted = limit + 1 if limit else None  # the entry behind the limit shows that there are more
    direction: Direction = "forward" if forward else "backward"
    for entry in loki.query_range(logql, *span, wanted, direction):
        if limit and shown == limit:
            which = "oldest" if forward else "newest"
            note(f"there are more: these are the {which} {limit}. --limit 0 prints all.")
            return
        write(show(entry))
        shown += 1
    if not shown:
        note(f"no lines from {format_time(span[0])} to {format_time(span[1])}.")


def renderer(output: Output) -> Callable[[LogEntry], bytes]:
    """Return the function that renders an entry in that form."""
    if output is Output.text:
        colour = wants_colour()
        return lambda entry: as_text(entry, colour=colour)
    return as_json if output is Output.jsonl else as_raw


def _samples(loki: Loki, logql: str, span: Span, step: str) -> list[Sample]:
    if not step:
        return loki.instant(logql, span[1])
    return loki.range_samples(logql, *span, parse_duration_ns(step, "--step") / NS_PER_S)


def _print_samples(samples: Sequence[Sample], output: Output) -> None:
    if not samples:
        note("no values: no line matches in the time of the query.")
    elif output is Output.text:
        console().print(samples_table(samples))
    else:
        for sample in samples:
            write(sample_as_json(sample) if output is Output.jsonl else sample.value.encode())
