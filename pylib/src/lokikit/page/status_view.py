"""Runs of tasks and parts of the pipeline, which the page shows above their dashboards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from lokikit.page.lines import entry_id
from lokikit.spool.segment import look, segment_paths
from lokikit.stack.http_probe import get
from lokikit.tasks.run_query import task_runs

if TYPE_CHECKING:
    from lokikit.page.choice import Choice
    from lokikit.query.client import Loki
    from lokikit.stack.agent_metrics import AgentNumbers
    from lokikit.stack.part_status import Condition
    from lokikit.tasks.task_record import TaskRun

MAX_RUNS = 200
_DAY_NS = 86_400 * 10**9
_METRIC = re.compile(r"^lokikit_store_(\w+?)(?:_total)?(\{[^}]*\})? (\d+)$", re.MULTILINE)
_SHOWN_METRICS = ("streams", "received_lines", "refused_lines", "tail_dropped_lines", "disk_bytes")
_ASK_TIMEOUT_S = 2


def runs(loki: Loki, choice: Choice) -> dict[str, Any]:
    """Return the newest runs of tasks in the last day of the span, newest first.

    All lines of the runs are held in memory, so a longer span is cut to a day.
    """
    start_ns = max(choice.start_ns, choice.end_ns - _DAY_NS)
    asked = task_runs(loki).since(start_ns).until(choice.end_ns)
    if choice.services:
        asked = asked.filter_by(service=list(choice.services))
    if choice.envs:
        asked = asked.filter_by(env=list(choice.envs))
    found = asked.all()
    shown = list(map(_run, found[::-1][:MAX_RUNS]))
    return {"runs": shown, "count": len(found), "cut": start_ns > choice.start_ns}


def _run(run: TaskRun) -> dict[str, Any]:
    runtime, raised, entry = run.runtime, run.exception, run.last.entry
    return {
        "task": run.task_name,
        "service": run.service,
        "outcome": run.status,
        "start": run.start.timestamp(),
        "seconds": runtime.total_seconds() if runtime else None,
        "exception": f"{raised.type}: {raised.message}" if raised else "",
        "traceback": raised.stacktrace if raised else "",
        "ts": str(entry.timestamp_ns),
        "id": entry_id(entry),
    }


def pipeline(
    loki: Loki,
    conditions: Sequence[Condition],
    numbers: AgentNumbers | None,
    spool: Path | None,
) -> dict[str, Any]:
    """Return the parts of this machine's stack, and their counts.

    Args:
        loki: the store.
        conditions: state of each part; empty without a stack.
        numbers: counts of the agent, `None` without an answer.
        spool: folder in which pushed lines wait, `None` without a folder.
    """
    parts = [
        {"name": one.name, "healthy": one.healthy, "uptime": one.uptime_s, "where": one.where}
        for one in conditions
    ]
    return {
        "parts": parts,
        "agent": asdict(numbers) if numbers else {},
        "store": {"url": loki.url, "ready": loki.ready(), **_store_metrics(loki.url)},
        "spool": _spool(spool) if spool else {},
    }


def _store_metrics(url: str) -> dict[str, int]:
    """Return the counts of an embedded store; none for a Loki, or without an answer."""
    try:
        text = get(f"{url}/metrics", _ASK_TIMEOUT_S).text
    except requests.RequestException:
        return {}
    found = {name: int(value) for name, _, value in _METRIC.findall(text)}
    return {name: found[name] for name in _SHOWN_METRICS if name in found}


def _spool(folder: Path) -> dict[str, Any]:
    looks = [found for path in segment_paths(folder) if (found := look(path))]
    return {
        "folder": str(folder),
        "entries": sum(one.entries for one in looks),
        "bytes": sum(one.size_bytes for one in looks),
    }
