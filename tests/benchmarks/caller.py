"""What one call to a logger costs its caller, by what it logs, beside the peers.

    python -m tests.benchmarks.caller

Every candidate logs the same events in a process of its own, into a file and into a pipe that
another process empties. The candidates of a shape run side by side and take turns, a batch each, so
that what else the machine does slows them alike. The figure is the CPU time of the calling thread.
On a pipe lokikit holds a lock around each line, the peers do not. The peers have no bound fields
and read no span, so their lines lack these. Nothing here is asserted on time.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from typing import IO, TYPE_CHECKING, Any

import orjson
from tests.benchmarks import markdown
from tests.benchmarks.measurement import Table
from tests.benchmarks.shapes import SHAPES, SIX, surroundings

import lokikit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.benchmarks.measurement import Cell

    Call = Callable[[int], None]

BATCH = 100
TURNS = 60
_WARM_UP_TURNS = 5
OURS = "lokikit"
PEER = "python-json-logger, orjson"
OF_PEER = "of the peer"
PIPE = "pipe"
SINKS = ("file", PIPE)


def _stdlib(formatter: logging.Formatter) -> logging.Logger:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logger = logging.getLogger("shop.orders")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


def _plain() -> logging.Logger:
    return _stdlib(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))


def _ours() -> logging.Logger:
    lokikit.setup_json_logging("api", env="prod", log_format="json", push=False)
    return logging.getLogger("shop.orders")


def _json_logger(module: str, name: str) -> logging.Logger:
    formatter = getattr(__import__(f"pythonjsonlogger.{module}", fromlist=[name]), name)
    wanted = ["levelname", "name", "message", "process", "threadName", "pathname", "lineno"]
    static = {"service": "api", "env": "prod", "host": "host"}
    return _stdlib(formatter(wanted, timestamp=True, static_fields=static))


def _structlog() -> Call:
    import structlog  # noqa: PLC0415 - each candidate is alone in its process
    from tests.benchmarks.shapes import SCALARS  # noqa: PLC0415 - each candidate is alone in its process

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.CallsiteParameterAdder(),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logger = structlog.get_logger().bind(service="api", env="prod", host="host")
    return lambda number: logger.info("order placed", number=number, **SCALARS)


def _loguru() -> Call:
    from loguru import logger  # noqa: PLC0415 - each candidate is alone in its process
    from tests.benchmarks.shapes import SCALARS  # noqa: PLC0415 - each candidate is alone in its process

    logger.remove()
    logger.add(sys.stdout, serialize=True)
    bound = logger.bind(service="api", env="prod", **SCALARS)
    return lambda number: bound.info("order {} placed", number)


LOGGERS: dict[str, Callable[[], logging.Logger]] = {
    OURS: _ours,
    PEER: lambda: _json_logger("orjson", "OrjsonFormatter"),
    "stdlib text, without the fields": _plain,
}
OTHERS: dict[str, Callable[[], Any]] = {
    "python-json-logger, json": lambda: SHAPES[SIX](_json_logger("json", "JsonFormatter")),
    "structlog, orjson": _structlog,
    "loguru, serialize": _loguru,
}
"""Measured with six scalars alone."""


def measure_here(name: str, shape: str) -> None:
    """Log a batch for each line of stdin, and write to stderr the nanoseconds of CPU it took."""
    log = OTHERS[name]() if name in OTHERS else SHAPES[shape](LOGGERS[name]())
    with surroundings(shape):
        for turn, _ in enumerate(sys.stdin):
            start_ns = time.thread_time_ns()
            for number in range(turn * BATCH, (turn + 1) * BATCH):
                log(number)
            print(time.thread_time_ns() - start_ns, file=sys.stderr, flush=True)


class Candidate:
    """A logger in a process of its own, which logs one batch at a time.

    Args:
        name: of `LOGGERS` or `OTHERS`.
        shape: of `SHAPES`.
        stdout: where the lines go.
    """

    def __init__(self, name: str, shape: str, stdout: IO[bytes]) -> None:
        module = "tests.benchmarks.caller"
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, "--here", name, "--shape", shape],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            bufsize=0,
        )

    def batch_us(self) -> float:
        """Microseconds of CPU that one call of the next batch takes."""
        assert self._process.stdin
        assert self._process.stderr
        self._process.stdin.write(b"\n")
        return int(self._process.stderr.readline()) / BATCH / 1000

    def end(self) -> None:
        """Close its stdin, and wait for its end."""
        self._process.communicate()


def measure(names: Sequence[str], shape: str, sink: str, turns: int) -> list[list[float]]:
    """Microseconds of CPU of one call: a list for each turn, of a figure for each candidate."""
    with contextlib.ExitStack() as cleanup:
        candidates = []
        for name in names:
            candidate = Candidate(name, shape, cleanup.enter_context(_open_sink(sink)))
            cleanup.callback(candidate.end)
            candidates.append(candidate)
        taken = [[one.batch_us() for one in candidates] for _ in range(_WARM_UP_TURNS + turns)]
    return taken[_WARM_UP_TURNS:]


@contextlib.contextmanager
def _open_sink(sink: str) -> Iterator[IO[bytes]]:
    """A new file, or a pipe that `cat` empties."""
    if sink != PIPE:
        with tempfile.TemporaryFile() as file:
            yield file
        return
    command = ["cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        assert reader.stdin
        yield reader.stdin


def report(turns: int, shapes: Sequence[str] = tuple(SHAPES)) -> list[Table]:
    """Return the tables: every shape into each sink, and the further peers with six scalars."""
    return [*(_by_shape(shapes, sink, turns) for sink in SINKS), _others(turns)]


def _by_shape(shapes: Sequence[str], sink: str, turns: int) -> Table:
    rows: list[list[Cell]] = []
    ratios = []
    peer = list(LOGGERS).index(PEER)
    for shape in shapes:
        taken = measure(list(LOGGERS), shape, sink, turns)
        ratios.append(statistics.median(turn[0] / turn[peer] for turn in taken))
        rows.append([shape, *map(statistics.median, zip(*taken, strict=True)), ratios[-1]])
    return Table(
        sink,
        ["what is logged", *LOGGERS, OF_PEER],
        rows,
        f"One call to a logger that writes into a {sink}: CPU microseconds of the caller, medians "
        f"of {turns} batches of {BATCH} calls, taken in turn. `{OF_PEER}` is the median of "
        f"lokikit's figure divided by that of {PEER} in the same turn.",
        f"Geometric mean of the ratios: {statistics.geometric_mean(ratios):.2f}.",
    )


def _others(turns: int) -> Table:
    by_sink = [measure(list(OTHERS), SIX, sink, turns) for sink in SINKS]
    rows: list[list[Cell]] = [
        [name, *(statistics.median(turn[place] for turn in taken) for taken in by_sink)]
        for place, name in enumerate(OTHERS)
    ]
    return Table("others", ["", *SINKS], rows, "Further peers, six scalars, microseconds:")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, or with `--here` measure one candidate in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--here", choices=[*LOGGERS, *OTHERS])
    parser.add_argument("--shape", choices=SHAPES, default=SIX)
    options = parser.parse_args(arguments)
    if options.here:
        measure_here(options.here, options.shape)
    else:
        print(markdown.tables(report(options.turns)))


if __name__ == "__main__":
    main()
