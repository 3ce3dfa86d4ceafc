"""Run the benchmarks, print their tables, and keep them in `RESULTS.md`.

python -m tests.benchmarks
python -m tests.benchmarks store dashboards
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.benchmarks import (
    agent,
    caller,
    dashboards,
    middleware,
    push,
    replicas,
    ship,
    spool,
    store,
)

RESULTS = Path(__file__).with_name("RESULTS.md")
_ROUNDS = 5
_SIZE_MB = 256
_AGENT_MB = 128
_HEAD = "# Results of `make bench`\n\nWritten by `python -m tests.benchmarks`.\n"
_BENCHMARKS = {
    "caller": (
        "What one call costs, beside other formatters",
        lambda: caller.table(_ROUNDS),
    ),
    "middleware": (
        "What the line of a request costs, beside its peers",
        lambda: middleware.table(_ROUNDS),
    ),
    "push": ("The push handler, beside its peers", push.report),
    "spool": ("The spool's own files, beside SQLite", spool.report),
    "ship": ("`lokikit ship`", lambda: ship.report(_SIZE_MB)),
    "agent": ("The agent: file, Fluent Bit, Loki", lambda: agent.report(_AGENT_MB)),
    "dashboards": ("The dashboards' queries", lambda: dashboards.report(dashboards.LINES)),
    "store": ("The embedded store, beside Loki", lambda: store.report(store.LINES)),
    "growth": (
        "How the cost of the embedded store grows",
        lambda: store.growth_report(list(store.GROWTH)),
    ),
    "replicas": ("One Loki and three replicas", lambda: replicas.report(replicas.LINES)),
}


def main() -> None:
    """Run them one after the other: they would disturb each other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(_BENCHMARKS)}; all without any")
    names = parser.parse_args().names or list(_BENCHMARKS)
    sections = _kept_sections()
    for name in names:
        title, measure = _BENCHMARKS[name]
        sections[title] = f"\n## {title}\n\n{measure()}\n"
        print(sections[title], flush=True)
    titles = [title for title, _ in _BENCHMARKS.values()]
    RESULTS.write_text(_HEAD + "".join(sections[one] for one in titles if one in sections))


def _kept_sections() -> dict[str, str]:
    """Title -> section of the results of earlier runs."""
    _, *parts = RESULTS.read_text(encoding="utf-8").split("\n## ")
    return {part.partition("\n")[0]: f"\n## {part.rstrip()}\n" for part in parts}


if __name__ == "__main__":
    main()
