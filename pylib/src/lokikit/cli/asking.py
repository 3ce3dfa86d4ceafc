"""What the commands that ask Loki share: where it is, who asks, where the output goes."""

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
    """The Loki that the environment names, otherwise the Loki that `lokikit up` starts.

    `LOKI_URL`, `LOKI_ORG_ID`, `LOKI_BEARER_TOKEN`, `LOKI_USERNAME` and `LOKI_PASSWORD`.
    """
    access = read_loki_access(environ)
    return Loki(loki_url(environ), tenant=access.tenant, auth=access.auth, timeout_s=timeout_s)


def pusher_from(environ: Mapping[str, str] = os.environ, *, url: str | None = None) -> Pusher:
    """A client that pushes to the same Loki, or to `url`, with the same credentials."""
    access = read_loki_access(environ)
    return Pusher(url or loki_url(environ), headers=identity_headers(access.tenant, access.auth))


@contextmanager
def whole_output() -> Iterator[None]:
    """Hand on all that was written; a reader that has gone away (`| head`) ends the command."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes once more at its exit: into nothing, then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def write(line: bytes, *, flush: bool = False) -> None:
    """One line to stdout, as the bytes that it is."""
    sys.stdout.buffer.write(line + b"\n")
    if flush:
        sys.stdout.flush()


def note(text: str) -> None:
    """One line to stderr, beside the output."""
    typer.echo(f"lokikit: {text}", err=True)


def console() -> Console:
    """A console for tables, wide when no terminal sets the width."""
    width = None if sys.stdout.isatty() else _PLAIN_COLUMNS
    return Console(highlight=False, markup=False, emoji=False, width=width)


def wants_colour(environ: Mapping[str, str] = os.environ) -> bool:
    """Return True on a terminal without `NO_COLOR` (https://no-color.org)."""
    return sys.stdout.isatty() and not environ.get("NO_COLOR")
