"""`lokikit ship`: sends lines of stdin or of followed files to Loki."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from lokikit.atomic_file import new_name, replace_file
from lokikit.cli.clients import pusher_from
from lokikit.delivery.dead_letters import DeadLetters
from lokikit.delivery.delivery import Delivery
from lokikit.errors import PrerequisiteError, SettingsError, UnreachableError
from lokikit.notices import Notices, to_stderr
from lokikit.ship.file_follower import FileFollower
from lokikit.ship.pipe import PipeReader
from lokikit.ship.positions import PositionStore
from lokikit.ship.shipper import Shipper
from lokikit.ship.sources import FileSource, PipeSource, Source
from lokikit.spool.spool import DEAD_LETTERS
from lokikit.stack.kit_files import state_dir

Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILES_OR_GLOBS]...",
        help="Files to follow, and quoted globs: new files that match are picked up. "
        "`**` in a glob is any number of folders. By default lines are read from stdin.",
    ),
]
Url = Annotated[str | None, typer.Option(help="Loki's URL; `LOKI_URL` by default.")]
Positions = Annotated[
    Path | None,
    typer.Option(help="File with the position of each file; used by one process at a time."),
]
Service = Annotated[
    str | None,
    typer.Option(
        help="Service of lines that name no service; by default the stem of the file's name, or "
        "`unknown` for stdin."
    ),
]
Host = Annotated[
    str | None, typer.Option(help="Host of all lines; this machine's name by default.")
]
Stats = Annotated[Path | None, typer.Option(help="A JSON file of counts, replaced once a second.")]
Letters = Annotated[
    Path | None,
    typer.Option(
        "--dead-letters",
        help="File for lines that Loki refuses for good, with the reason, as JSON lines. By "
        "default it is beside the positions; lines of stdin are then only counted.",
    ),
]


def ship(  # noqa: PLR0913, PLR0917 - one parameter for each option
    files: Files = None,
    url: Url = None,
    positions: Positions = None,
    service: Service = None,
    host: Host = None,
    stats: Stats = None,
    dead_letters: Letters = None,
) -> None:
    """Ship lines to Loki: `my-service | lokikit ship`, or `lokikit ship '/var/log/app/*.log'`.

    Each line arrives byte for byte, under its own service and timestamp. Lines that are not JSON
    arrive too. **Files** are delivered at least once, through rotation, restarts and a Loki that
    is away: lines that Loki has not acknowledged are read again. A new file is read from its
    beginning; a missing file is reported once, and read when it appears.

    **Stdin** is delivered to its end before the command ends. While Loki is away it is not read,
    so the writer waits once the pipe is full; SIGKILL loses up to two batches (10,000 lines or
    2 MiB). A service that must never wait writes to a file.

    SIGTERM and Ctrl-C end the reading; the lines that were read have 10 seconds to arrive.
    """
    notices = Notices()
    pusher = pusher_from(url=url)
    host = host or socket.gethostname()
    if files:
        _refuse_folders(files)
        store = PositionStore(positions or state_dir() / "ship" / "positions.json")
        dead_letters = dead_letters or store.path.with_suffix(f".{DEAD_LETTERS}")
        own = [*store.files(), dead_letters, *([stats, new_name(stats)] if stats else [])]
        follower = FileFollower(files, saved=store.open(), own=own, notices=notices)
        source: Source = FileSource(follower, store, service=service, host=host, notices=notices)
    else:
        source = PipeSource(PipeReader(sys.stdin.fileno()), service=service, host=host)
    with contextlib.closing(source):
        letters = DeadLetters(_writable(dead_letters, "--dead-letters"))
        shipper = Shipper(
            source,
            lambda wait: Delivery(
                pusher.push,
                target=pusher.target,
                dead_letters=letters,
                notices=notices,
                wait=wait,
            ),
            report=_reporter(_writable(stats, "--stats"), notices),
        )
        _run(shipper, durable=source.durable)


def _refuse_folders(files: list[str]) -> None:
    """Refuse arguments that are all folders: the command would wait for lines for ever."""
    if all(Path(one).is_dir() for one in files):
        raise SettingsError(
            f"ship: {files[0]} is a folder: name its files, as in "
            f"'{Path(files[0], '*.log')}' or '{Path(files[0], '**', '*.log')}'."
        )


def _writable(path: Path | None, option: str) -> Path | None:
    """Return `path`, after its folder was made and a write was tried."""
    if path is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            return path
    except OSError as error:
        raise PrerequisiteError(
            f"ship: cannot write {path}: {error.strerror}; choose another place with {option}."
        ) from error


def _reporter(path: Path | None, notices: Notices) -> Callable[[Mapping[str, Any]], None]:
    def report(statistics: Mapping[str, Any]) -> None:
        if path is None:
            return
        try:
            replace_file(path, orjson.dumps(statistics), durable=False)
        except OSError as error:
            notices.say("stats", f"ship: cannot write {path}: {error.strerror}")

    return report


def _run(shipper: Shipper, *, durable: bool) -> None:
    """Ship until the end or a signal, and print the counts."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: shipper.request_stop())
    left = len(shipper.run())
    done = shipper.statistics()
    reasons = ", ".join(f"{kind} {count}" for kind, count in done["dropped_by_reason"].items())
    to_stderr(
        f"ship: {done['read']} lines read, {done['blank']} blank, {done['sent']} sent, "
        f"{done['dropped']} dropped{f' ({reasons})' if reasons else ''}"
    )
    if left and durable:
        to_stderr(f"ship: {left} lines are not delivered yet: the next start sends them")
    elif left:
        raise UnreachableError(
            f"ship: {left} lines of stdin were not delivered: Loki took none before the end"
        )
