"""The output of commands: lines on stdout, notes on stderr, tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import typer
from rich.console import Console

_PLAIN_COLUMNS = 160


@contextmanager
def whole_output() -> Iterator[None]:
    """Flush stdout after the block; a closed pipe (`| head`) ends the command without an error."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its exit: into nothing, then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def write(line: bytes, *, flush: bool = False) -> None:
    """Write the bytes of a line to stdout."""
    sys.stdout.buffer.write(line + b"\n")
    if flush:
        sys.stdout.flush()


def note(text: str) -> None:
    """Print a line on stderr."""
    typer.echo(f"lokikit: {text}", err=True)


def console() -> Console:
    """Return a console for tables and URLs, 160 columns wide when stdout is no terminal."""
    width = None if sys.stdout.isatty() else _PLAIN_COLUMNS
    return Console(highlight=False, markup=False, emoji=False, width=width)


def wants_colour(environ: Mapping[str, str] = os.environ) -> bool:
    """Return True on a terminal without `NO_COLOR` (https://no-color.org)."""
    return sys.stdout.isatty() and not environ.get("NO_COLOR")


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: `1 line`, `2 lines`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
