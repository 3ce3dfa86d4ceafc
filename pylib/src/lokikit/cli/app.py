"""The `lokikit` command: every subcommand is registered here, every error ends here."""

from __future__ import annotations

import sys

from lokikit.errors import LokikitError

try:
    import typer
except ImportError:  # the light install has no command line
    sys.exit("lokikit: the command line needs its extra: pip install 'lokikit[cli]'")

import lokikit
from lokikit.cli import ship, stack

app = typer.Typer(
    name="lokikit",
    help="Logs of Python services, from logger.info() to Loki.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="Exit codes: 0 done, 1 unhealthy or lines lost, 2 wrong option or setting, "
    "3 the machine lacks something, 4 Loki does not answer, 5 Loki refuses.",
)


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer's callback signature
    if value:
        typer.echo(f"lokikit {lokikit.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(  # noqa: FBT001 - typer reads the signature
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Logs of Python services, from logger.info() to Loki."""


for _command in (stack.up, stack.down, stack.status, ship.ship):
    app.command()(_command)


def main() -> None:
    """Run the command; an error becomes one line on stderr and its exit code."""
    try:
        app()
    except LokikitError as error:
        typer.echo(f"lokikit: {error}", err=True)
        sys.exit(error.exit_code)
