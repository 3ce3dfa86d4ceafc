"""A program that does all at once: prints and logs, in threads, tasks and forks, to two handlers.

python -m tests.programs.mixed URL SERVICE
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import lokikit

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 100
"""Lines of each writer."""
THREADS, TASKS, CHILDREN = 4, 8, 2
ACCOUNT, MASKED = "DE02 1203", "****"
LONG_BYTES = 10_000
"""More than a pipe takes as a whole."""
FORK = multiprocessing.get_context("fork")


class OnlyFor(logging.Filter):
    """Lets through what is not meant for the other handler alone, and masks accounts."""

    def __init__(self, name: str, *, mask: bool) -> None:
        super().__init__()
        self._name = name
        self._mask = mask

    def filter(self, record: Any) -> bool:
        """Whether the handler gets it."""
        if self._mask and hasattr(record, "account"):
            record.account = MASKED
        return getattr(record, "only", self._name) == self._name


def logging_only() -> list[str]:
    """The names of writers of long lines, forks of a process whose threads log."""
    own = [*(f"thread-{n}" for n in range(THREADS)), *(f"task-{n}" for n in range(TASKS))]
    return [*own, *(f"fork-{n}{part}" for n in range(CHILDREN) for part in ("", "-thread"))]


def printing_too() -> list[str]:
    """The names of writers that print beside it, in threads and in forks."""
    return [*(f"printer-{n}" for n in range(THREADS)), *(f"child-{n}" for n in range(CHILDREN))]


def expected(target: str) -> Counter[tuple[str, int]]:
    """Writer and number of each line that a handler gets: `stdout` or `push`."""
    names = ["alternating", *logging_only(), *printing_too(), f"only-{target}"]
    return Counter({(name, number): 1 for name in names for number in range(COUNT)})


def plain() -> Counter[str]:
    """What is printed beside that."""
    names = ["alternating", *printing_too()]
    return Counter(f"plain {name} {number}" for name in names for number in range(COUNT))


def log(writer: str, number: int, **fields: Any) -> None:
    """Log one line."""
    extra = {"writer": writer, "number": number, "account": ACCOUNT, **fields}
    logging.getLogger("mixed").info("%s %d", writer, number, extra=extra)


def log_all(writer: str) -> None:
    """Log the lines of a writer, each tenth a long one."""
    for number in range(COUNT):
        log(writer, number, pad="x" * (number % 10 // 9 * LONG_BYTES))


def print_and_log(writer: str) -> None:
    """Print and log in turn, where others write too.

    As `print` takes no lock, each text is one call, and no line is so long that a pipe takes it in
    parts.
    """
    for number in range(COUNT):
        sys.stdout.write(f"plain {writer} {number}\n")
        log(writer, number)


def run_fork(writer: str) -> None:
    """Log in two threads of a fork."""
    further = start(log_all, f"{writer}-thread")
    log_all(writer)
    further.join()


async def run_tasks() -> None:
    """Log from tasks that take turns, each with fields of its own."""

    async def run_task(writer: str) -> None:
        with lokikit.bound(bound_in=writer):
            for number in range(COUNT):
                log(writer, number)
                await asyncio.sleep(0)

    await asyncio.gather(*(run_task(f"task-{n}") for n in range(TASKS)))


def start(work: Callable[[str], object], writer: str) -> threading.Thread:
    """A thread that does it."""
    thread = threading.Thread(target=work, args=(writer,))
    thread.start()
    return thread


def fork(work: Callable[[str], object], name: str) -> list[Any]:
    """Forks that do it."""
    children = [FORK.Process(target=work, args=(f"{name}-{n}",)) for n in range(CHILDREN)]
    for child in children:
        child.start()
    return children


def end(*running: Any) -> None:
    """Wait until all have ended, well."""
    for one in running:
        one.join()
        assert not getattr(one, "exitcode", 0)


def main(url: str, service: str) -> None:
    """Do all of it."""
    lokikit.setup_json_logging(service, push=url, log_format="json", level="info")
    stdout, push = logging.getLogger().handlers
    stdout.addFilter(OnlyFor("stdout", mask=False))
    push.addFilter(OnlyFor("push", mask=True))
    for number in range(COUNT):
        print(f"plain alternating {number}")
        log("alternating", number, pad="x" * LONG_BYTES)
    threads = [start(log_all, f"thread-{n}") for n in range(THREADS)]
    forks = fork(run_fork, "fork")
    asyncio.run(run_tasks())
    end(*threads, *forks)
    # Forked before others print: a fork has a copy of what its parent printed and did not flush.
    children = fork(print_and_log, "child")
    end(*(start(print_and_log, f"printer-{n}") for n in range(THREADS)), *children)
    for number in range(COUNT):
        log("only-stdout", number, only="stdout")
        log("only-push", number, only="push")
    assert push.flush(60)  # type: ignore[func-returns-value]


if __name__ == "__main__":
    main(*sys.argv[1:])
