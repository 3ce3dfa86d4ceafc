"""A program that logs numbered lines through `LokiHandler`, in the way that its options say.

    python -m tests.programs.writer '{"url": …, "service": …, "count": …}'

It prints one JSON object when all calls have returned, and one more when it has closed.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
import threading
import time
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LOGGER = "tests.writer"
LONG_BYTES = 20_000
"""Of a poison: more than Loki takes as structured metadata, or as a line if told so."""
_YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class Writing:
    """What to log, and how to end.

    Args:
        url: of Loki.
        service: its name, the stream.
        count: lines of each thread.
        writer: number of the first thread's lines; each further thread has the next one.
        threads: how many log at once.
        rate: lines a second of each thread; 0 for as many as go.
        age_s: how old the records say they are.
        pad: further characters in each line.
        poison: what is wrong with the line in the middle, a key of `POISONS`.
        handler: arguments of the handler.
        ending: `close` (flush, then close, then report), `exit` (at once, by falling off the
            end), `os_exit` (`os._exit`), `wait` (until a signal ends it).
        flush_s: how long `close` may flush for.
        acks: print each number as soon as its call has returned.
    """

    url: str
    service: str
    count: int
    writer: int = 0
    threads: int = 1
    rate: float = 0
    age_s: float = 0
    pad: int = 0
    poison: str = ""
    handler: dict[str, Any] = field(default_factory=dict)
    ending: str = "close"
    flush_s: float = 60
    acks: bool = False

    def as_argument(self) -> str:
        """What the command line takes."""
        return json.dumps(dataclasses.asdict(self))


def main(writing: Writing) -> None:
    """Log all of it, then end."""
    bare_kb = peak_kb()
    handler = attach(writing)
    taken = write(writing)
    tell(event="written", peak_kb=peak_kb() - bare_kb, **quantiles(taken))
    if writing.ending == "os_exit":
        os._exit(0)
    elif writing.ending == "wait":
        threading.Event().wait()
    elif writing.ending == "close":
        flushed = handler.flush(writing.flush_s)
        handler.close()
        tell(event="closed", flushed=flushed, peak_kb=peak_kb() - bare_kb, stats=handler.stats())


def attach(writing: Writing) -> Any:
    """The handler, on the logger that `write` uses."""
    import lokikit  # noqa: PLC0415 - its memory counts

    if writing.age_s:
        backdate(writing.age_s)
    handler = lokikit.LokiHandler(
        writing.url, service=writing.service, env="test", **writing.handler
    )
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(handler)
    return handler


def write(writing: Writing) -> array[int]:
    """Nanoseconds that each call took."""
    taken = [array("q") for _ in range(writing.threads)]
    threads = [
        threading.Thread(target=_write, args=(writing, writing.writer + number, taken[number]))
        for number in range(writing.threads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(taken, array("q"))


def _write(writing: Writing, writer: int, taken: array[int]) -> None:
    logger = logging.getLogger(LOGGER)
    pad = "x" * writing.pad
    start_s = time.monotonic()
    for number in range(writing.count):
        if writing.rate and (ahead_s := start_s + number / writing.rate - time.monotonic()) > 0:
            time.sleep(ahead_s)
        start_ns = time.perf_counter_ns()
        if writing.poison and number == writing.count // 2:
            POISONS[writing.poison](logger, writer, number)
        else:
            logger.info("line %d %d %s", writer, number, pad)
        taken.append(time.perf_counter_ns() - start_ns)
        if writing.acks:
            os.write(1, b"%d\n" % number)


def _log_old(logger: logging.Logger, writer: int, number: int) -> None:
    message = f"line {writer} {number}"
    record = logger.makeRecord(LOGGER, logging.INFO, __file__, 1, message, (), None)
    record.created -= _YEAR_S
    logger.handle(record)


POISONS: dict[str, Callable[[logging.Logger, int, int], None]] = {
    "old": _log_old,
    "long": lambda logger, *numbers: logger.info("line %d %d %s", *numbers, "x" * LONG_BYTES),
    "ids": lambda logger, *numbers: logger.info(
        "line %d %d", *numbers, extra={"request_id": "r" * LONG_BYTES}
    ),
    "marked": lambda logger, *numbers: logger.info("line %d %d poison", *numbers),
}
"""Ways to log a line that Loki, or what stands before it, refuses for ever."""


def backdate(age_s: float) -> None:
    """Have all records say that they are that old."""
    make = logging.getLogRecordFactory()

    def make_old(*arguments: Any, **keywords: Any) -> logging.LogRecord:
        record = make(*arguments, **keywords)
        record.created -= age_s
        return record

    logging.setLogRecordFactory(make_old)


def quantiles(taken: array[int]) -> dict[str, float]:
    """Microseconds of a call: the median, one in a thousand, the worst."""
    ordered = sorted(taken) or [0]
    last = len(ordered) - 1
    return {
        "p50_us": ordered[last // 2] / 1000,
        "p999_us": ordered[round(last * 0.999)] / 1000,
        "max_us": ordered[last] / 1000,
    }


def peak_kb() -> int:
    """The most memory that this program has had."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def tell(**report: Any) -> None:
    """Print one report."""
    os.write(1, json.dumps(report, default=str).encode() + b"\n")


if __name__ == "__main__":
    main(Writing(**json.loads(sys.argv[1])))
