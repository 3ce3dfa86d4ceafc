"""Showing that a long build moves: one live line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rich.console import Console

_TERMINAL_EVERY_S = 0.5
_PLAIN_EVERY_S = 15.0
_TAIL_BYTES = 4096


def watch(
    running: AbstractContextManager[subprocess.Popen[bytes]],
    log: Path,
    title: str,
    console: Console,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """The exit status of the build, which is shown while it runs.

    Args:
        running: gives the process, and ends it when left early.
        log: what the process writes to.
        title: what is built.
        console: where to show it.
        clock: seconds that only grow.
    """
    console.print(f"Building {title} from source: once for this user, takes some minutes.")
    start_s = clock()
    with running as process, _display(console) as show:
        while (status := _wait(process, console)) is None:
            show(progress_line(title, clock() - start_s, log))
    if status == 0:
        console.print(f"Built {title} in {_elapsed(clock() - start_s)}.")
    return status


@contextmanager
def _display(console: Console) -> Iterator[Callable[[str], object]]:
    """What shows a line of progress: in place on a terminal, one below the other elsewhere."""
    if console.is_terminal:
        with console.status("starting") as live:
            yield lambda line: live.update(Text(line, no_wrap=True, overflow="ellipsis"))
    else:
        yield partial(console.print, markup=False, highlight=False, soft_wrap=True)


def _wait(process: subprocess.Popen[bytes], console: Console) -> int | None:
    """The exit status, or `None` when it is time to show progress."""
    try:
        return process.wait(_TERMINAL_EVERY_S if console.is_terminal else _PLAIN_EVERY_S)
    except subprocess.TimeoutExpired:
        return None


def progress_line(title: str, elapsed_s: float, log: Path) -> str:
    """One line: what is built, for how long already, and what Go does just now."""
    return f"Building {title}, {_elapsed(elapsed_s)}: {_doing(log)}"


def _elapsed(elapsed_s: float) -> str:
    minutes, seconds = divmod(int(elapsed_s), 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def _doing(log: Path) -> str:
    """What the last whole line of Go's output says."""
    with log.open("rb") as output:
        size = output.seek(0, 2)
        output.seek(max(0, size - _TAIL_BYTES))
        lines = output.read().decode(errors="replace").rpartition("\n")[0].splitlines()
    last = lines[-1] if lines else ""
    if last.startswith("go: "):
        return last.removeprefix("go: ")
    return f"compiling {last}" if last else "resolving modules"
