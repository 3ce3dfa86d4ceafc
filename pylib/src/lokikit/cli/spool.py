"""`lokikit spool`: list and send the lines that a push handler or the agent keeps on disk."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from lokikit.cli.clients import pusher_from
from lokikit.cli.output import console, counted, note
from lokikit.delivery.dead_letters import DeadLetters
from lokikit.delivery.entry import json_object
from lokikit.errors import (
    LokikitError,
    PrerequisiteError,
    RefusedError,
    SettingsError,
    UnhealthyError,
    UnreachableError,
)
from lokikit.notices import Notices
from lokikit.spool.fluentbit_chunks import read_chunk, rejected_paths
from lokikit.spool.replay import (
    TAKEN,
    ReplaySender,
    letter_paths,
    replay_chunks,
    replay_letters,
    replay_orphans,
)
from lokikit.spool.segment import Look, look, segment_paths
from lokikit.spool.spool import DEAD_LETTERS

_NEWEST = 3
app = typer.Typer(
    help="Look into a spool folder of `LokiHandler`, the storage of the agent or the folder of "
    "`ship`, and send what stays in it."
)

Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="The handler's `spool_dir`, the agent's storage, or `ship`'s folder."
    ),
]
Url = Annotated[str | None, typer.Option(help="Loki's URL; `LOKI_URL` by default.")]
Letters = Annotated[bool, typer.Option("--dead-letters", help="Send the dead letters again too.")]
Host = Annotated[
    str | None, typer.Option(help="The host of the agent's lines; this machine's name by default.")
]
Timeout = Annotated[
    float, typer.Option("--timeout", min=0, help="Seconds without any progress until it gives up.")
]


@app.command("ls")
def list_spool(folder: Folder) -> None:
    """List the segments that wait for Loki, and the newest reasons of dead letters.

    A segment whose owner is gone is sent by the next process that uses the folder, or by
    `lokikit spool replay`. In an agent's storage only the chunks that Loki refused are listed: the
    agent itself sends the chunks that wait.
    """
    looks = _looks(folder)
    out = console()
    if looks:
        out.print(_table(looks))
    entries, size = sum(one.entries for one in looks), sum(one.size_bytes for one in looks)
    out.print(f"{entries} entries in {counted(len(looks), 'segment')}, {size} bytes.")
    if refused := _refused(folder):
        out.print(f"{sum(refused)} lines in {counted(len(refused), 'chunk')} that Loki refused.")
    count, newest = _letters(folder)
    out.print(f"{count} dead letters{', the newest:' if newest else '.'}")
    for letter in newest:
        out.print(f"  {letter.get('refused_at')} {letter.get('reason')}", soft_wrap=True)


@app.command()
def replay(
    folder: Folder,
    url: Url = None,
    dead_letters: Letters = False,  # noqa: FBT002 - typer reads the signature
    timeout: Timeout = 30,
    host: Host = None,
) -> None:
    """Send the segments of dead processes to Loki; living processes send their own.

    Lines that Loki does not take stay where they are. `--dead-letters` sends the dead letters
    again, for instance after a limit of Loki was raised; letters that are refused again stay, with
    the new reason. It also sends the chunks of an agent that Loki refused: Loki has stored their
    valid lines, and each line that it refuses again becomes a dead letter.
    """
    before = _looks(folder)
    pusher = pusher_from(url=url)
    sender = ReplaySender(pusher, DeadLetters(folder / DEAD_LETTERS), Notices(), timeout_s=timeout)
    try:
        done = replay_orphans(folder, sender)
        if dead_letters and done:
            done = replay_letters(folder, sender)
            done = done and replay_chunks(folder, sender, host or socket.gethostname())
    except OSError as error:
        raise PrerequisiteError(f"spool: cannot work in {folder}: {error}") from error
    finally:
        pusher.close()
    _report(folder, sender, pusher.target, owned=[one for one in before if one.owned])
    if not done:
        raise _failure(sender, pusher.target)
    if refused := sender.counts.dropped.total():
        raise UnhealthyError(f"spool: {pusher.target} refused {refused}: see lokikit spool ls.")


def _looks(folder: Path) -> list[Look]:
    if not folder.is_dir():
        raise SettingsError(f"spool: {folder} is no folder; name the handler's spool_dir.")
    try:
        return [found for path in segment_paths(folder) if (found := look(path))]
    except OSError as error:
        raise PrerequisiteError(
            f"spool: cannot read {error.filename}: {error.strerror}; run as the service's user."
        ) from error


def _table(looks: list[Look]) -> Table:
    table = Table("segment", "age", "entries", "bytes", "owner", box=None, pad_edge=False)
    for one in looks:
        age = timedelta(seconds=max(0, int(time.time() - one.created_s)))
        owner = "other version" if one.foreign else "alive" if one.owned else "gone"
        table.add_row(one.path.name, str(age), str(one.entries), str(one.size_bytes), owner)
    return table


def _refused(folder: Path) -> list[int]:
    """Return the number of lines in each chunk of an agent that Loki refused."""
    return [sum(1 for _ in read_chunk(one.read_bytes(), "")) for one in rejected_paths(folder)]


def _letters(folder: Path) -> tuple[int, list[Mapping[str, Any]]]:
    """Return the number of dead letters, and the newest of them."""
    count, newest = 0, deque[bytes](maxlen=_NEWEST)
    for path in (*sorted(folder.glob(TAKEN)), *letter_paths(folder)):
        with suppress(FileNotFoundError), path.open("rb") as file:  # sent meanwhile
            for line in file:
                count += 1
                newest.append(line)
    letters = (json_object(line.decode(errors="replace")) for line in reversed(newest))
    return count, [letter for letter in letters if letter]


def _report(folder: Path, sender: ReplaySender, target: str, *, owned: list[Look]) -> None:
    counts = sender.counts
    left = sum(one.entries for one in _looks(folder) if not one.owned)
    typer.echo(
        f"{counts.sent} entries delivered to {target}, {counts.dropped.total()} refused, "
        f"{left} left, {_letters(folder)[0]} dead letters in {folder}"
    )
    if owned:
        note(f"spool: {counted(len(owned), 'segment')} left to the living processes that own them")


def _failure(sender: ReplaySender, target: str) -> LokikitError:
    """Return the error for a replay that Loki did not take in full."""
    answer = sender.answer
    text = f"spool: {target} takes no more: {answer.reason}; the rest is kept, run this again."
    return UnreachableError(text) if answer.status is None else RefusedError(text, answer.status)
