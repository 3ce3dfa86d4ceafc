"""Run the benchmarks, keep each result in `results/NAME.json`, and write the pages from them.

python -m tests.benchmarks
python -m tests.benchmarks store dashboards
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks import (
    agent,
    caller,
    dashboards,
    markdown,
    measurement,
    middleware,
    page,
    push,
    replicas,
    ship,
    spool,
    store,
)

from lokikit.errors import PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ROUNDS = 5
_SIZE_MB = 256
_AGENT_MB = 128
_LOKI = ("loki",)
_BROWSER = ("chromium",)


@dataclass(frozen=True)
class Benchmark:
    """What is measured, and what its figures depend on.

    Args:
        title: of its section.
        measure: returns the tables.
        packages: distributions whose versions matter.
        programs: on PATH, whose versions matter.
    """

    title: str
    measure: Callable[[], list[measurement.Table]]
    packages: Sequence[str] = ()
    programs: Sequence[str] = ()


_BENCHMARKS = {
    "caller": Benchmark(
        "What one call costs, beside other formatters",
        lambda: caller.report(caller.TURNS),
        ("orjson", "python-json-logger", "structlog", "loguru"),
    ),
    "middleware": Benchmark(
        "What the line of a request costs, beside its peers",
        lambda: middleware.report(_ROUNDS),
        ("fastapi", "flask", "django", "asgi-correlation-id", "django-structlog"),
    ),
    "push": Benchmark(
        "The push handler, beside its peers",
        push.report,
        ("python-logging-loki", "loki-logger-handler", "opentelemetry-sdk"),
        _LOKI,
    ),
    "spool": Benchmark("The spool's own files, beside SQLite", spool.report),
    "ship": Benchmark("`lokikit ship`", lambda: ship.report(_SIZE_MB), programs=_LOKI),
    "agent": Benchmark(
        "The agent: file, Fluent Bit, Loki",
        lambda: agent.report(_AGENT_MB),
        programs=("fluent-bit", *_LOKI),
    ),
    "dashboards": Benchmark(
        "The dashboards' queries", lambda: dashboards.report(dashboards.LINES), programs=_LOKI
    ),
    "store": Benchmark(
        "The embedded store, beside Loki", lambda: store.report(store.LINES), ("duckdb",), _LOKI
    ),
    "growth": Benchmark(
        "How the cost of the embedded store grows",
        lambda: store.growth_report(list(store.GROWTH)),
        ("duckdb",),
    ),
    "page": Benchmark("How soon the page shows something", page.report, ("playwright",), _BROWSER),
    "replicas": Benchmark(
        "One Loki and three replicas", lambda: replicas.report(replicas.LINES), programs=_LOKI
    ),
}


def main() -> None:
    """Run them one after the other: they would disturb each other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(_BENCHMARKS)}; all without any"
    )
    parser.add_argument("--remark", action="append", default=[], help="a sentence for the results")
    options = parser.parse_args()
    if unknown := set(options.names) - set(_BENCHMARKS):
        parser.error(f"no benchmark is named {', '.join(sorted(unknown))}")
    for name in options.names or _BENCHMARKS:
        try:
            result = run(name, options.remark)
        except PrerequisiteError as error:
            print(f"{name} is not measured: {error}", flush=True)
            continue
        measurement.write(result)
        print(f"{markdown.section(result)}\n", flush=True)
    subprocess.run([sys.executable, "-m", "docs.generator"], check=True)


def run(name: str, remarks: Sequence[str]) -> measurement.Result:
    """Measure, and return the figures with their circumstances.

    Raises:
        PrerequisiteError: the machine lacks a program.
    """
    benchmark = _BENCHMARKS[name]
    load = os.getloadavg()[0]
    tables = benchmark.measure()
    return measurement.Result(
        name,
        benchmark.title,
        measurement.now(),
        measurement.machine(),
        measurement.versions(benchmark.packages, benchmark.programs),
        [load, os.getloadavg()[0]],
        tables,
        remarks,
    )


if __name__ == "__main__":
    main()
