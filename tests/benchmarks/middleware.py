"""What the line of a request costs, beside the bare framework and the usual peers.

    python -m tests.benchmarks.middleware

Each candidate (`middleware_program`) answers the same small requests in a process of its own and
writes its lines into a file. The candidates of a framework take short turns, so that other load of
the machine meets all of them. The figure is the CPU time of the calling thread. Nothing here is
asserted on time.
"""

from __future__ import annotations

import argparse
import operator
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.benchmarks import markdown
from tests.benchmarks.measurement import Table
from tests.benchmarks.middleware_program import BARE, CANDIDATES, OURS, TURN, WARM_UP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.measurement import Cell

REQUESTS = 3_000


class Candidate:
    """A candidate in a process of its own, whose lines go into a new file and are counted."""

    def __init__(self, framework: str, name: str) -> None:
        self._lines = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        self._asked = WARM_UP
        self._is_bare = name == BARE
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.middleware_program", framework, name],
            stdin=subprocess.PIPE,
            stdout=self._lines,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "ENV": "prod"},
        )

    def take_turn(self) -> float:
        """Ask for a turn of requests; return us a request."""
        asked, figures = self._process.stdin, self._process.stderr
        assert asked is not None
        assert figures is not None
        print(file=asked, flush=True)
        self._asked += TURN
        return float(figures.readline())

    def end(self) -> None:
        """End the process; check that it has written a line for each request."""
        self._process.communicate()
        self._lines.seek(0)
        written = sum(b"orders/17" in line for line in self._lines)
        self._lines.close()
        # django-structlog writes two lines for each: begun and ended.
        expected = {0} if self._is_bare else {self._asked, 2 * self._asked}
        assert written in expected, (self._process.args, written, self._asked)


def measure(framework: str, rounds: int) -> dict[str, list[float]]:
    """Us a request of each candidate, turn by turn: name -> figures."""
    running = {name: Candidate(framework, name) for name in CANDIDATES[framework]}
    taken = defaultdict(list)
    for _ in range(rounds * REQUESTS // TURN):
        for name, candidate in running.items():
            taken[name].append(candidate.take_turn())
    for candidate in running.values():
        candidate.end()
    return taken


def report(rounds: int) -> list[Table]:
    """Return the table."""
    rows: list[list[Cell]] = []
    for framework in CANDIDATES:
        taken = measure(framework, rounds)
        bare = statistics.median(taken[BARE])
        added = {
            name: statistics.median(map(operator.sub, of_it, taken[BARE]))
            for name, of_it in taken.items()
        }
        for name, of_it in taken.items():
            whole = statistics.median(of_it)
            more = [None, None] if name == BARE else [added[name], added[name] / added[OURS]]
            rows.append([framework, name, whole, whole / bare, *more])
    head = (
        "One request with its line, called as the server calls it: CPU microseconds. The "
        f"candidates of a framework take turns of {TURN} requests, {rounds * REQUESTS:,} each; "
        "medians, of what is added in the same turn. The lines of the peers have no more fields "
        "than lokikit's."
    )
    columns = ["framework", "", "us", "of bare", "added, us", "of what lokikit adds"]
    return [Table("requests", columns, rows, head)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    print(markdown.tables(report(parser.parse_args(arguments).rounds)))


if __name__ == "__main__":
    main()
