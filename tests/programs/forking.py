"""A program whose children log through the handler of their parent.

    python -m tests.programs.forking os.fork|fork|spawn OPTIONS

Writer 0 is the parent; writers 1 to 4 are the children.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import sys

from tests.programs.writer import Writing, attach, write

CHILDREN = 4


def log_as(writing: Writing, writer: int) -> None:
    """Log the lines of one writer."""
    write(dataclasses.replace(writing, writer=writer))


def attach_and_log(writing: Writing, writer: int) -> None:
    """The same in a process that has inherited nothing."""
    attach(writing)
    log_as(writing, writer)


def by_fork(writing: Writing) -> None:
    """Children of `os.fork` that end as any program does."""
    children = []
    for writer in range(1, CHILDREN + 1):
        pid = os.fork()
        if not pid:
            log_as(writing, writer)
            sys.exit()
        children.append(pid)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0


def by_multiprocessing(writing: Writing, method: str) -> None:
    """Children of `multiprocessing`."""
    context = multiprocessing.get_context(method)
    target = log_as if method == "fork" else attach_and_log
    children = [
        context.Process(target=target, args=(writing, writer)) for writer in range(1, CHILDREN + 1)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0


def main(way: str, writing: Writing) -> None:
    """Log, have children that log, and end at once."""
    attach(writing)
    log_as(writing, 0)
    if way == "os.fork":
        by_fork(writing)
    else:
        by_multiprocessing(writing, way)
    print(json.dumps({"event": "over"}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Writing(**json.loads(sys.argv[2])))
