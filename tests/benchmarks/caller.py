"""What one call to a logger costs its caller, by what it logs, beside the peers.

    python -m tests.benchmarks.caller

Every candidate logs the same events in a process of its own, into a file and into a pipe that
another process empties; the candidates take turns for several rounds. The figure is the CPU
time of the calling thread in its fastest batch, so that a busy machine is hardly in it. On a pipe
lokikit holds a lock around each line, the peers do not. The peers have no bound fields and read
no span, so their lines lack these. Nothing here is asserted on time.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson
from tests.benchmarks import markdown
from tests.benchmarks.measurement import Table
from tests.benchmarks.shapes import SHAPES, SIX, surroundings

import lokikit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.benchmarks.measurement import Cell

    Call = Callable[[int], None]

CALLS = 10_000
BATCH = 250
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


def measure_here(name: str, shape: str) -> float:
    """Microseconds of CPU that one call takes in this process, writing to its stdout.

    Of the fastest batch: what else runs on the machine slows the others.
    """
    log = OTHERS[name]() if name in OTHERS else SHAPES[shape](LOGGERS[name]())
    with surroundings(shape):
        return min(_batch_us(log, first) for first in range(0, CALLS, BATCH))


def _batch_us(log: Call, first: int) -> float:
    start_ns = time.thread_time_ns()
    for number in range(first, first + BATCH):
        log(number)
    return (time.thread_time_ns() - start_ns) / BATCH / 1000


def measure(name: str, shape: str, sink: str) -> float:
    """The same in a process of its own, into a new file or a pipe that `cat` empties."""
    command = [sys.executable, "-m", "tests.benchmarks.caller", "--here", name, "--shape", shape]
    with tempfile.TemporaryFile() as file, contextlib.ExitStack() as cleanup:
        stdout: Any = file
        if sink == PIPE:
            reader = subprocess.Popen(
                ["cat"],  # noqa: S607 - whichever stands on PATH
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
            )
            cleanup.enter_context(reader)
            stdout = reader.stdin
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, check=True)
        return float(done.stderr)


def report(rounds: int, shapes: Sequence[str] = tuple(SHAPES)) -> list[Table]:
    """Return the tables: every shape into each sink, and the further peers with six scalars."""
    cases = [(name, *where) for where in itertools.product(shapes, SINKS) for name in LOGGERS]
    cases += itertools.product(OTHERS, (SIX,), SINKS)
    taken = defaultdict(list)
    for _ in range(rounds):
        for case in cases:
            taken[case].append(measure(*case))
    median = {case: statistics.median(values) for case, values in taken.items()}
    return [*(_by_shape(median, shapes, sink, rounds) for sink in SINKS), _others(median)]


def _by_shape(
    median: dict[tuple[str, str, str], float], shapes: Sequence[str], sink: str, rounds: int
) -> Table:
    rows: list[list[Cell]] = []
    ratios = []
    for shape in shapes:
        figures = [median[name, shape, sink] for name in LOGGERS]
        ratios.append(median[OURS, shape, sink] / median[PEER, shape, sink])
        rows.append([shape, *figures, ratios[-1]])
    return Table(
        sink,
        ["what is logged", *LOGGERS, OF_PEER],
        rows,
        f"One call to a logger that writes into a {sink}: CPU microseconds of the caller, the "
        f"fastest batch of {BATCH} in {CALLS:,} calls, medians of {rounds} rounds. `{OF_PEER}` is "
        f"lokikit's figure divided by that of {PEER}.",
        f"Geometric mean of the ratios: {statistics.geometric_mean(ratios):.2f}.",
    )


def _others(median: dict[tuple[str, str, str], float]) -> Table:
    rows: list[list[Cell]] = [
        [name, *(median[name, SIX, sink] for sink in SINKS)] for name in OTHERS
    ]
    return Table("others", ["", *SINKS], rows, "Further peers, six scalars, microseconds:")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables, or with `--here` measure one candidate in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--here", choices=[*LOGGERS, *OTHERS])
    parser.add_argument("--shape", choices=SHAPES, default=SIX)
    options = parser.parse_args(arguments)
    if options.here:
        print(measure_here(options.here, options.shape), file=sys.stderr)
    else:
        print(markdown.tables(report(options.rounds)))


if __name__ == "__main__":
    main()
