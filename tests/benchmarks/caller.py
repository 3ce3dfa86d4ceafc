"""What one `logger.info()` with six extra fields costs its caller, beside the peers.

    python -m tests.benchmarks.caller

Every candidate logs the same events in a process of its own, into a file and into a pipe that
another process empties; the candidates take turns for several rounds. The figure is the CPU
time of the calling thread, so waiting for a busy machine is not in it. On a pipe lokikit and
the floor hold a lock around each line, the others do not. Nothing here is asserted on time.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import itertools
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson
from tests.benchmarks.push_program import EXTRA

import lokikit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CALLS = 20_000
PLAIN_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
PLAIN = "stdlib text, with the six fields"
FLOOR = "floor: orjson.dumps + os.write, locked"
OURS = "lokikit"
PIPE = "pipe"
SINKS = ("file", PIPE)


class Floor(logging.Handler):
    """The same fields as lokikit's by hand, with none of its promises."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line under the same lock."""
        second, micro = divmod(int(record.created * 1e6), 1_000_000)
        line: dict[str, Any] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)) + f".{micro:06d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "service": "api",
            "env": "prod",
            "host": "host",
            "pid": record.process,
            "thread": record.threadName,
            "caller": f"{record.pathname}:{record.lineno} {record.funcName}",
        }
        for name in EXTRA:
            line[name] = getattr(record, name)
        data = orjson.dumps(line) + b"\n"
        fcntl.lockf(1, fcntl.LOCK_EX)
        os.write(1, data)
        fcntl.lockf(1, fcntl.LOCK_UN)


def _stdlib(handler: logging.Handler) -> Callable[[int], None]:
    logger = logging.getLogger("shop.orders")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    return lambda number: logger.info("order %s placed", number, extra=EXTRA)


def _stream_handler(formatter: logging.Formatter) -> logging.Handler:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    return handler


def _plain() -> Callable[[int], None]:
    return _stdlib(_stream_handler(logging.Formatter(PLAIN_FORMAT)))


def _plain_with_fields() -> Callable[[int], None]:
    fields = " ".join(f"{name}=%({name})s" for name in EXTRA)
    return _stdlib(_stream_handler(logging.Formatter(f"{PLAIN_FORMAT} {fields}")))


def _ours() -> Callable[[int], None]:
    lokikit.setup_json_logging("api", env="prod", log_format="json")
    logger = logging.getLogger("shop.orders")
    return lambda number: logger.info("order %s placed", number, extra=EXTRA)


def _json_logger(module: str, name: str) -> Callable[[int], None]:
    formatter = getattr(__import__(f"pythonjsonlogger.{module}", fromlist=[name]), name)
    wanted = ["levelname", "name", "message", "process", "threadName", "pathname", "lineno"]
    static = {"service": "api", "env": "prod", "host": "host"}
    return _stdlib(_stream_handler(formatter(wanted, timestamp=True, static_fields=static)))


def _structlog() -> Callable[[int], None]:
    import structlog  # noqa: PLC0415 - each candidate is alone in its process

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
    return lambda number: logger.info("order placed", number=number, **EXTRA)


def _loguru() -> Callable[[int], None]:
    from loguru import logger  # noqa: PLC0415 - each candidate is alone in its process

    logger.remove()
    logger.add(sys.stdout, serialize=True)
    bound = logger.bind(service="api", env="prod", **EXTRA)
    return lambda number: bound.info("order {} placed", number)


CANDIDATES: dict[str, Callable[[], Callable[[int], None]]] = {
    OURS: _ours,
    FLOOR: lambda: _stdlib(Floor()),
    "stdlib text, without the fields": _plain,
    PLAIN: _plain_with_fields,
    "python-json-logger, orjson": lambda: _json_logger("orjson", "OrjsonFormatter"),
    "python-json-logger, json": lambda: _json_logger("json", "JsonFormatter"),
    "structlog, orjson": _structlog,
    "loguru, serialize": _loguru,
}


def measure_here(name: str) -> float:
    """Microseconds of CPU that one call takes in this process, writing to its stdout."""
    log = CANDIDATES[name]()
    for number in range(CALLS // 4):
        log(number)
    start_ns = time.thread_time_ns()
    for number in range(CALLS):
        log(number)
    return (time.thread_time_ns() - start_ns) / CALLS / 1000


def measure(name: str, sink: str) -> float:
    """The same in a process of its own, into a new file or a pipe that `cat` empties."""
    command = [sys.executable, "-m", "tests.benchmarks.caller", "--here", name]
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


def table(rounds: int) -> str:
    """The table, in Markdown."""
    taken = defaultdict(list)
    for _ in range(rounds):
        for name, sink in itertools.product(CANDIDATES, SINKS):
            taken[name, sink].append(measure(name, sink))
    median = {key: statistics.median(values) for key, values in taken.items()}

    def row(name: str) -> str:
        figures = (
            f"{median[name, sink]:.1f} | {median[name, sink] / median[PLAIN, sink]:.2f} | "
            f"{median[name, sink] / median[FLOOR, sink]:.2f}"
            for sink in SINKS
        )
        return f"| {name} | {' | '.join(figures)} |"

    head = (
        f"One `logger.info()` with six extra fields: CPU microseconds of the caller, medians of "
        f"{rounds} rounds of {CALLS:,} calls, Python {sys.version.split()[0]}"
    )
    columns = "".join(f" {sink}, us | of stdlib text | of the floor |" for sink in SINKS)
    rows = [row(name) for name in sorted(CANDIDATES, key=lambda name: median[name, PIPE])]
    return "\n".join([head, "", f"| |{columns}", "|---" * 7 + "|", *rows])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or with `--here` measure one candidate in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--here", choices=CANDIDATES)
    options = parser.parse_args(arguments)
    if options.here:
        print(measure_here(options.here), file=sys.stderr)
    else:
        print(table(options.rounds))


if __name__ == "__main__":
    main()
