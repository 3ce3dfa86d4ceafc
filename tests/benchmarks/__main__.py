"""Run all benchmarks, print their tables, and keep them in `RESULTS.md`.

python -m tests.benchmarks
"""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import agent, caller, dashboards, middleware, push, replicas, ship

RESULTS = Path(__file__).with_name("RESULTS.md")
_ROUNDS = 5
_SIZE_MB = 256
_AGENT_MB = 128


def main() -> None:
    """Run them one after the other: they would disturb each other."""
    text = "# Results of `make bench`\n\nWritten by `python -m tests.benchmarks`.\n"
    for title, measure in (
        ("What one call costs, beside other formatters", lambda: caller.table(_ROUNDS)),
        ("What the line of a request costs, beside its peers", lambda: middleware.table(_ROUNDS)),
        ("The push handler, beside its peers", push.report),
        ("`lokikit ship`", lambda: ship.report(_SIZE_MB)),
        ("The agent: file, Fluent Bit, Loki", lambda: agent.report(_AGENT_MB)),
        ("The dashboards' queries", lambda: dashboards.report(dashboards.LINES)),
        ("One Loki and three replicas", lambda: replicas.report(replicas.LINES)),
    ):
        section = f"\n## {title}\n\n{measure()}\n"
        print(section, flush=True)
        text += section
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
