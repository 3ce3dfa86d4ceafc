"""Clients of Loki from the environment, and the output of commands."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from lokikit.delivery.credentials import identity_headers
from lokikit.delivery.push_api import Pusher
from lokikit.query.client import Loki
from lokikit.settings import read_loki_access
from lokikit.stack.kit_files import loki_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLAIN_COLUMNS = 160
TIMEOUT_S = 70
"""A little more than Loki's own limit for a query (`limits_config.query_timeout`, 1m)."""


def loki_from(environ: Mapping[str, str] = os.environ, *, timeout_s: float = TIMEOUT_S) -> Loki:
    """Return a client of the Loki that the environment names, or that `lokikit up` starts.

    Reads `LOKI_URL`, `LOKI_ORG_ID`, `LOKI_BEARER_TOKEN`, `LOKI_USERNAME` and `LOKI_PASSWORD`.
    """
    access = read_loki_access(environ)
    return Loki(loki_url(environ), tenant=access.tenant, auth=access.auth, timeout_s=timeout_s)


def pusher_from(environ: Mapping[str, str] = os.environ, *, url: str | None = None) -> Pusher:
    """Return a client that pushes to the same Loki, or to `url`, with the same credentials."""
    access = read_loki_access(environ)
    return Pusher(url or loki_url(environ), headers=identity_headers(access.tenant, access.auth))


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
