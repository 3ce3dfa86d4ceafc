"""The `lokikit` command: every subcommand is registered here, every error ends here.

A call imports only the module of its command, so that no command waits for the imports of others.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path

from lokikit.errors import LokikitError, PrerequisiteError

_INTERRUPTED = 130
"""Exit code after Ctrl-C, as a shell has it."""


def _missing(error: ModuleNotFoundError) -> str:
    return f"the command line needs its extra ({error.name} is missing): pip install 'lokikit[cli]'"


try:
    import typer

    import lokikit
except ModuleNotFoundError as error:  # the light install has no command line
    sys.stderr.write(f"lokikit: {_missing(error)}\n")
    sys.exit(PrerequisiteError.exit_code)
except KeyboardInterrupt:  # imports take a while on a busy machine
    sys.exit(_INTERRUPTED)

_EXIT_CODES = """
Exit codes: **0** done, **1** unhealthy or lines lost, **2** a wrong option, setting or query,
**3** the machine lacks something, **4** Loki does not answer, **5** Loki refuses, **130** Ctrl-C.
"""
COMMANDS: dict[str, dict[str, str]] = {
    "The stack of this machine": {
        "up": "stack",
        "down": "stack",
        "status": "stack",
        "check": "check",
        "wire": "wire",
        "store": "store",
        "init": "kit",
        "chart": "kit",
    },
    "Logs": {
        "page": "page",
        "top": "top",
        "last": "last",
        "query": "query",
        "tail": "query",
        "ship": "ship",
        "canary": "canary",
        "export": "export",
    },
}
"""Panel of the help -> command -> module of `lokikit.cli` that holds it, under its own name."""
_NO_WRITING = (errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EROFS)
"""Causes that lie with the disk or its permissions: a sentence, and no traceback."""
_UNIX_ONLY = frozenset({"up", "down", "ship"})
"""Commands that manage groups of processes, or read files with `os.pread`."""
GROUPS = ("spool", "logql", "rules", "alerts")
"""Modules whose `app` holds commands of their own."""


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer's callback signature
    if value:
        typer.echo(f"lokikit {lokikit.__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    version: bool = typer.Option(  # noqa: ARG001, FBT001 - typer reads the signature
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Logs of Python services, from logger.info() to Loki.

    Begin with `lokikit up`, look with `lokikit query '{service_name="shop"}'`, stop with
    `lokikit down`. `lokikit COMMAND --help` has the options and examples.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def command_line(wanted: Iterable[str] = ()) -> typer.Typer:
    """Return the command line with the commands and groups in `wanted`, all when it is empty.

    Raises:
        ModuleNotFoundError: a command needs a package that is not installed.
    """
    chosen = set(wanted)
    app = typer.Typer(name="lokikit", pretty_exceptions_enable=False, rich_markup_mode="markdown")
    app.callback(invoke_without_command=True, epilog=_EXIT_CODES)(_root)
    for panel, commands in COMMANDS.items():
        for name, module in commands.items():
            if not chosen or name in chosen:
                command = getattr(import_module(f"lokikit.cli.{module}"), name)
                app.command(rich_help_panel=panel)(command)
    for name in GROUPS:
        if not chosen or name in chosen:
            group = import_module(f"lokikit.cli.{name}").app
            app.add_typer(group, name=name, rich_help_panel="Logs")
    return app


def _wanted(words: Sequence[str]) -> tuple[str, ...]:
    """Return the command that a call names; nothing when all have to be known, as for the help."""
    known = {"--version", *GROUPS, *(name for commands in COMMANDS.values() for name in commands)}
    first = words[0] if words else ""
    completes = any(name.startswith("_LOKIKIT_COMPLETE") for name in os.environ)
    return (first,) if first in known and not completes else ()


def main() -> None:
    """Run the command; an error becomes one line on stderr and its exit code."""
    _open_closed_streams()
    wanted = _wanted(sys.argv[1:])
    _leave_loopback_to_itself()
    if sentence := _unix_only(wanted, sys.platform) or _removed_folder():
        sys.exit(_complain(sentence, PrerequisiteError.exit_code))
    try:
        app = command_line(wanted)
    except ModuleNotFoundError as error:
        sys.exit(_complain(_missing(error), PrerequisiteError.exit_code))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    try:
        code = app(prog_name="lokikit", standalone_mode=False)
    except LokikitError as error:
        code = _complain(str(error), error.exit_code)
    except typer.TyperException as error:
        code = _complain(_usage(error), error.exit_code)
    except typer.Abort:
        code = _complain("nothing done.", 1)
    except OSError as error:
        if error.errno not in _NO_WRITING:
            raise
        code = _complain(_unwritable(error), PrerequisiteError.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _open_closed_streams() -> None:
    """Write to nowhere where the caller has closed stdout or stderr (`>&-`)."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the exit
            setattr(sys, name, nowhere)


def _removed_folder() -> str:
    """Return a sentence where the working folder is no more; nothing where it is there."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return "the working folder was removed: go to another one with cd."
    return ""


def _leave_loopback_to_itself() -> None:
    """Keep proxies of the environment away from what the commands ask on this machine."""
    if any(name.lower().endswith("_proxy") for name in os.environ):
        from lokikit.delivery.address import around_loopback  # noqa: PLC0415 - rarely needed

        os.environ.update(around_loopback(os.environ))


def _unix_only(wanted: Iterable[str], platform: str) -> str:
    """Return a sentence where a command cannot run on this platform; nothing where it can."""
    names = _UNIX_ONLY.intersection(wanted) if platform == "win32" else ()
    return "".join(f"{name} needs Linux or macOS: run it in WSL or a container." for name in names)


def _unwritable(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return (
        f"{place}{error.strerror}: make room or give permission there, "
        "or set LOKIKIT_STATE to a folder of yours."
    )


def _complain(text: str, code: int) -> int:
    typer.echo(f"lokikit: {' '.join(text.split())}", err=True)
    return code


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "lokikit"
    said = error.format_message()
    return f"{said.removesuffix('.')}{'' if said.endswith('?') else '.'} See {command} --help."
