"""The `lokikit` command: every subcommand is registered here, every error ends here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lokikit.errors import LokikitError

if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import typer

    import lokikit
    from lokikit.cli import (
        alerts,
        canary,
        check,
        export,
        last,
        logql,
        page,
        query,
        rules,
        ship,
        spool,
        stack,
        store,
        top,
        wire,
    )
except ModuleNotFoundError as error:  # the light install has no command line
    sys.exit(
        f"lokikit: the command line needs its extra ({error.name} is missing): "
        "pip install 'lokikit[cli]'"
    )

_EXIT_CODES = """
Exit codes: **0** done, **1** unhealthy or lines lost, **2** a wrong option, setting or query,
**3** the machine lacks something, **4** Loki does not answer, **5** Loki refuses, **130** Ctrl-C.
"""
_PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "The stack of this machine": (
        stack.up,
        stack.down,
        stack.status,
        check.check,
        wire.wire,
        store.store,
    ),
    "Logs": (
        page.page,
        top.top,
        last.last,
        query.query,
        query.tail,
        ship.ship,
        canary.canary,
        export.export,
    ),
}

app = typer.Typer(name="lokikit", pretty_exceptions_enable=False, rich_markup_mode="markdown")


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer's callback signature
    if value:
        typer.echo(f"lokikit {lokikit.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True, epilog=_EXIT_CODES)
def _root(
    context: typer.Context,
    version: bool = typer.Option(  # noqa: ARG001, FBT001 - typer reads the signature
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Logs of Python services, from logger.info() to Loki.

    Begin with `lokikit up`, look with `lokikit query '{service_name="shop"}'`, stop with
    `lokikit down`. `lokikit COMMAND --help` tells more, with examples.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _panel, _commands in _PANELS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel)(_command)
app.add_typer(spool.app, name="spool", rich_help_panel="Logs")
app.add_typer(logql.app, name="logql", rich_help_panel="Logs")
app.add_typer(rules.app, name="rules", rich_help_panel="Logs")
app.add_typer(alerts.app, name="alerts", rich_help_panel="Logs")


def main() -> None:
    """Run the command; an error becomes one line on stderr and its exit code."""
    try:
        code = app(prog_name="lokikit", standalone_mode=False)
    except LokikitError as error:
        code = _complain(str(error), error.exit_code)
    except typer.TyperException as error:
        code = _complain(_usage(error), error.exit_code)
    except typer.Abort:
        code = _complain("nothing done.", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _complain(text: str, code: int) -> int:
    typer.echo(f"lokikit: {' '.join(text.split())}", err=True)
    return code


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "lokikit"
    said = error.format_message()
    return f"{said.removesuffix('.')}{'' if said.endswith('?') else '.'} See {command} --help."
