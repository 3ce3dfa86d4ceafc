"""One candidate of the push benchmark, in a process and an environment of its own.

    python -m tests.benchmarks.push_program CANDIDATE URL SERVICE SHAPE COUNT RATE CHILDREN REPORT

It needs nothing but the candidate: the peers' environment has no lokikit.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.shapes import MARKED_SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable

PUSH_PATH = "/loki/api/v1/push"


def _nothing() -> None:
    pass


def _lokikit(url: str, service: str) -> tuple[logging.Handler, Callable[[], Any]]:
    import lokikit  # noqa: PLC0415 - each candidate is alone in its process

    spool = tempfile.mkdtemp(prefix="lokikit-bench-")
    handler = lokikit.LokiHandler(url, service=service, env="bench", spool_dir=spool)
    return handler, lambda: handler.flush(120)


def _lokikit_stdout(url: str, service: str) -> tuple[None, Callable[[], Any]]:
    del url
    import lokikit  # noqa: PLC0415 - each candidate is alone in its process

    lokikit.setup_json_logging(service, env="bench", log_format="json", push=False)
    return None, _nothing


def _lokikit_both(url: str, service: str) -> tuple[None, Callable[[], Any]]:
    import lokikit  # noqa: PLC0415 - each candidate is alone in its process

    os.environ["LOKI_SPOOL_DIR"] = tempfile.mkdtemp(prefix="lokikit-bench-")
    root = lokikit.setup_json_logging(service, env="bench", log_format="json", push=url)

    def flush() -> None:
        for handler in root.handlers:
            handler.flush()

    return None, flush


def _logging_loki(url: str, service: str) -> tuple[logging.Handler, Callable[[], Any]]:
    import logging_loki  # noqa: PLC0415 - each candidate is alone in its process

    tags = {"service_name": service}
    return logging_loki.LokiHandler(url + PUSH_PATH, tags, version="1"), _nothing


def _logging_loki_queue(url: str, service: str) -> tuple[logging.Handler, Callable[[], Any]]:
    import queue  # noqa: PLC0415 - each candidate is alone in its process

    import logging_loki  # noqa: PLC0415 - each candidate is alone in its process

    tags = {"service_name": service}
    handler = logging_loki.LokiQueueHandler(
        queue.Queue(-1), url=url + PUSH_PATH, tags=tags, version="1"
    )
    return handler, handler.listener.stop


def _loki_logger(url: str, service: str) -> tuple[logging.Handler, Callable[[], Any]]:
    from loki_logger_handler.loki_logger_handler import LokiLoggerHandler  # noqa: PLC0415 - each candidate is alone in its process

    return LokiLoggerHandler(url + PUSH_PATH, {"service_name": service}), _nothing


def _opentelemetry(url: str, service: str) -> tuple[logging.Handler, Callable[[], Any]]:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import (  # noqa: PLC0415 - each candidate is alone in its process
        OTLPLogExporter,
    )
    from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler  # noqa: PLC0415 - each candidate is alone in its process
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415 - each candidate is alone in its process
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - each candidate is alone in its process

    provider = LoggerProvider(resource=Resource.create({"service.name": service}))
    exporter = OTLPLogExporter(endpoint=url + "/otlp/v1/logs")
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    return LoggingHandler(logger_provider=provider), lambda: provider.force_flush(120_000)


CANDIDATES: dict[str, Callable[[str, str], Any]] = {
    "lokikit": _lokikit,
    "lokikit, stdout only": _lokikit_stdout,
    "lokikit, stdout and push": _lokikit_both,
    "python-logging-loki": _logging_loki,
    "python-logging-loki, queue": _logging_loki_queue,
    "loki-logger-handler": _loki_logger,
    "OpenTelemetry": _opentelemetry,
}


def log(shape: str, start: int, count: int, rate: float) -> dict[str, float]:
    """Log marked lines of a shape; what a call cost, in microseconds."""
    call = MARKED_SHAPES[shape](logging.getLogger("shop.orders"))
    began_s, began_cpu_ns, began_ns = time.time(), time.thread_time_ns(), time.perf_counter_ns()
    for number in range(start, start + count):
        if rate and (ahead_s := began_s + (number - start) / rate - time.time()) > 0:
            time.sleep(ahead_s)
        call(number)
    return {
        "began_s": began_s,
        "wall_us": (time.perf_counter_ns() - began_ns) / count / 1000,
        "cpu_us": (time.thread_time_ns() - began_cpu_ns) / count / 1000,
    }


def main() -> None:
    """Log in this process, then in its children, and end as any program does."""
    candidate, url, service, shape, count, rate, children, report = sys.argv[1:]
    handler, finish = CANDIDATES[candidate](url, service)
    logger = logging.getLogger("shop.orders")
    logger.setLevel(logging.INFO)
    if handler is not None:
        logger.propagate = False
        logger.addHandler(handler)
    told = log(shape, 0, int(count), float(rate))
    fork = multiprocessing.get_context("fork").Process
    for child in range(1, int(children) + 1):
        process = fork(target=log, args=(shape, child * int(count), int(count), float(rate)))
        process.start()
        process.join()
    finish()
    told["ended_s"] = time.time()
    Path(report).write_text(json.dumps(told), encoding="ascii")


if __name__ == "__main__":
    main()
