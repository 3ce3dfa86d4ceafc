"""`lokikit up`, `down` and `status`: the stack of this machine."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from lokikit.cli.output import console as make_console
from lokikit.cli.output import note
from lokikit.cli.runtime import (
    bring_up_docker,
    bring_up_native,
    conditions_now,
    numbers_now,
    restarts_now,
    take_down_all,
)
from lokikit.errors import UnhealthyError
from lokikit.stack.docker.choice import choose
from lokikit.stack.env_settings import check_env, unread_settings
from lokikit.stack.kit_files import asked_runtime, state_dir
from lokikit.stack.native.page import PAGE_PART
from lokikit.stack.native.signals import sigterm_raises
from lokikit.stack.native.stack import alone, remove_data
from lokikit.stack.part_status import Condition, read_wanted

if TYPE_CHECKING:
    from rich.console import Console


_TRY = (
    ("top", ""),
    ("tail", """'{service_name=~".+"}'"""),
    ("check", ""),
)
_ERRORS = """'{service_name="shop"} | detected_level="error"' --since 15m"""
_COUNTS = """'sum by (service_name) (count_over_time({service_name=~".+"}[15m]))'"""


def up(
    demo: bool = typer.Option(  # noqa: FBT001 - typer reads the signature
        True, "--demo/--no-demo", envvar="DEMO", help="Start the demo services too."
    ),
) -> None:
    """Start a store, the agent, the web page, Grafana and the demo, and print their addresses.

    They run in Docker when its daemon answers and the images are here or can be pulled, otherwise
    as processes of this machine; RUNTIME=docker or RUNTIME=native forces a runtime. Processes
    send lines to the Loki that LOKI_URL names, else to the `loki` on PATH (3.4 or newer), else to
    the embedded store; STORE=loki or STORE=embedded forces a store.

    Parts that run well are left alone, so the command can be repeated at any time: after a crash,
    a change of .env, or with nothing to do. The first time Docker pulls the images.
    """
    asked, console, state = asked_runtime(), make_console(), state_dir()
    check_env()
    if sentence := unread_settings():
        note(sentence)
    with _rest_named(), sigterm_raises(), alone(state, console.print):
        wanted = read_wanted(state)
        choice = choose(asked, wanted.runtime if wanted else None, console)
        console.print(f"Runtime: {choice.runtime} ({choice.reason}).")
        if wanted and wanted.runtime != choice.runtime:
            console.print(f"Stopping the stack that runs with {wanted.runtime}")
            take_down_all(state, volumes=False)
        start = bring_up_docker if choice.runtime == "docker" else bring_up_native
        statuses = start(choice, state, console, demo=demo)
    console.print(_table(statuses))
    _complain(statuses, console)
    _suggest(console, _ERRORS if any(one.name == "shop" for one in statuses) else _COUNTS)
    for page in [one.where for one in statuses if one.name == PAGE_PART]:
        console.print(f"\nThe page with all of it: {page}")


def down(
    volumes: bool = typer.Option(  # noqa: FBT001 - typer reads the signature
        False, "--volumes", help="Remove the stored logs and the state as well."
    ),
    yes: bool = typer.Option(  # noqa: FBT001 - typer makes options of parameters
        False, "--yes", help="Do not ask before removing."
    ),
) -> None:
    """Stop everything that `up` started; the data stays without --volumes."""
    console, state = make_console(), state_dir()
    if volumes and not yes:
        typer.confirm(f"Remove all logs and state in {state}?", abort=True)
    with alone(state, console.print):
        ended = take_down_all(state, volumes=volumes)
        if volumes:
            remove_data(state)
    console.print(f"Stopped {', '.join(ended)}." if ended else "Nothing was running.")
    if volumes:
        console.print(f"Removed the data in {state}.")


def status() -> None:
    """Show the health, process, age and address of each part.

    Below that it shows how often each part that died was restarted since `up`, at most five times
    in a row, and the agent's counts since its start: lines in and out, sent again, dropped, kept
    as dead letters, and the bytes that wait on its disk.
    """
    console, state = make_console(), state_dir()
    wanted = read_wanted(state)
    if wanted is None:
        raise UnhealthyError(f"nothing is up (state in {state}): start it with: {_this()} up")
    statuses = conditions_now(wanted, state)
    console.print(_table(statuses))
    if wanted.loki_url:
        console.print(f"\nLines go to the Loki at {wanted.loki_url}.")
    for sentence in restarts_now(wanted, state):
        console.print(f"\n{sentence}")
    if numbers := numbers_now(wanted, state):
        console.print(f"\nAgent: {numbers}.")
    _complain(statuses, console)


@contextmanager
def _rest_named() -> Iterator[None]:
    """Name what an interrupted `up` leaves behind."""
    try:
        yield
    except KeyboardInterrupt:
        note(
            f"interrupted: parts that were started run on; {_this()} up starts the others, "
            f"{_this()} down stops them."
        )
        raise


def _table(statuses: Sequence[Condition]) -> Table:
    table = Table("part", "state", "pid", "up for", "where", box=None, pad_edge=False)
    for one in statuses:
        state = "healthy" if one.healthy else "unhealthy" if one.pid else "not running"
        age = str(timedelta(seconds=int(one.uptime_s))) if one.pid else ""
        table.add_row(
            one.name,
            state,
            str(one.pid or ""),
            age,
            _short(one.where),
            style=None if one.healthy else "red",
        )
    return table


def _complain(statuses: Sequence[Condition], console: Console) -> None:
    """Print the last log lines of the unhealthy parts, and fail."""
    bad = [one for one in statuses if not one.healthy]
    for one in bad:
        console.print(f"\n{one.name}, the end of {_short(one.log)}:", style="red")
        console.print(one.last_words or "(its log is empty)", soft_wrap=True)
    if bad:
        names = ", ".join(one.name for one in bad)
        raise UnhealthyError(f"not healthy: {names}. Mend what the log says and run: {_this()} up")


def _suggest(console: Console, first_query: str) -> None:
    console.print("\nTry:")
    for command, arguments in (("query", first_query), *_TRY):
        console.print(f"  {_this()} {command} {arguments}".rstrip(), soft_wrap=True)


def _this() -> str:
    """Return the command line of this `lokikit`, as the user can type it."""
    if shutil.which("lokikit"):
        return "lokikit"
    beside = Path(sys.executable).with_name("lokikit")
    return shlex.quote(_short(beside)) if beside.exists() else "python -m lokikit"


def _short(path: object) -> str:
    """Return a path below the working folder relative to it; any other text as it is."""
    return str(path).removeprefix(f"{Path.cwd()}/")
