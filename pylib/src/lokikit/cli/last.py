"""`lokikit last`: the last lines of a service, as `tail -n` shows a file."""

from __future__ import annotations

from typing import Any

import typer

from lokikit.cli.clients import loki_from
from lokikit.cli.output import note, whole_output, write
from lokikit.cli.query import OUTPUT, Output, renderer


def last(  # noqa: PLR0913, PLR0917 - typer reads the options from the signature
    service: str = typer.Argument(..., help="Name of the service, as in the label service_name."),
    count: int = typer.Option(50, "-n", "--lines", min=1, help="Number of lines."),
    level: str = typer.Option("", help="Only lines of this level: error, or error,critical."),
    env: str = typer.Option("", help="Only lines of this environment."),
    since: str = typer.Option("7d", help="How far back to look: 1h, 2d, a date."),
    output: Output = OUTPUT,
) -> None:
    """Print the last lines of a service, oldest first.

        lokikit last shop -n 50

        lokikit last shop --level error,critical --since 1h -o raw

    `lokikit query` takes any other condition.
    """
    fields: dict[str, Any] = {"env": env} if env else {}
    if level:
        fields["level"] = [word.strip().lower() for word in level.split(",")]
    entries = loki_from().last(service, count, since=since, **fields)
    show = renderer(output)
    with whole_output():
        for entry in entries:
            write(show(entry))
    if not entries:
        asked = "".join(
            f" {name}={text}" for name, text in (("level", level), ("env", env)) if text
        )
        note(f"no lines of {service}{asked} within {since}.")
