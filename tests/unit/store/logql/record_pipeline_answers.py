"""Record anew what a real Loki makes of the lines and pipelines of `pipeline_questions.json`.

LOKI_URL=http://127.0.0.1:3100 python tests/unit/store/logql/record_pipeline_answers.py

Lines or pipelines are added to the questions, and recorded with the others.
"""

from __future__ import annotations

import json
import os
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

QUESTIONS = Path(__file__).with_name("pipeline_questions.json")
ANSWERS = Path(__file__).with_name("pipeline_answers.json")
_OK = 200
_STEP_NS = 1000
_AGE_NS = 600 * 10**9

Answer = list[Any] | None


def record(host: str) -> None:
    """Push each group to the Loki at host and port, ask its pipelines, and write the answers."""
    connection = HTTPConnection(host, timeout=60)
    questions = json.loads(QUESTIONS.read_text())
    answers = {
        name: Group(connection, name, **group).answers() for name, group in questions.items()
    }
    groups = (f"{json.dumps(name)}: {_written(group)}" for name, group in answers.items())
    text = ",\n".join(groups)
    ANSWERS.write_text(f"{{\n{text}\n}}\n")


def _written(group: dict[str, Any]) -> str:
    pairs = (f"{json.dumps(key)}: {_dumped(value)}" for key, value in group.items())
    inner = ",\n".join(pairs)
    return f"{{\n{inner}\n}}"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


class Group:
    """The lines of one group in a stream of their own."""

    def __init__(
        self,
        connection: HTTPConnection,
        name: str,
        labels: dict[str, str],
        rows: list[list[Any]],
        pipelines: list[str],
    ) -> None:
        self._connection, self._rows, self._pipelines = connection, rows, pipelines
        self._run = f"{name}-{time.time_ns()}"
        self._begin_ns = time.time_ns() - _AGE_NS
        self._labels = labels
        values = [
            [str(self._begin_ns + at * _STEP_NS), line, metadata]
            for at, (line, metadata) in enumerate(rows)
        ]
        stream = {"stream": {**labels, "run": self._run}, "values": values}
        body = json.dumps({"streams": [stream]})
        connection.request("POST", "/loki/api/v1/push", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"push of {name}: {text!r}")

    def answers(self) -> dict[str, Any]:
        """By pipeline: for each row None, or what the pipeline changed; None where Loki refuses.

        Under the empty pipeline stand the metadata with `detected_level`.
        """
        plain = self._ask("")
        given = [entry[2] for entry in plain]
        found: dict[str, Any] = {"": given}
        for pipeline in self._pipelines:
            entries = self._ask(pipeline)
            found[pipeline] = entries and [
                self._changes(at, entry, given[at]) for at, entry in enumerate(entries)
            ]
        return found

    def _ask(self, pipeline: str) -> Any:
        parameters = {
            "query": f'{{run="{self._run}"}} {pipeline}',
            "start": self._begin_ns,
            "end": self._begin_ns + len(self._rows) * _STEP_NS,
            "limit": 5000,
            "direction": "forward",
        }
        self._connection.request(
            "GET",
            f"/loki/api/v1/query_range?{urlencode(parameters)}",
            headers={"X-Loki-Response-Encoding-Flags": "categorize-labels"},
        )
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != _OK:
            return None
        entries: list[Answer] = [None] * len(self._rows)
        for stream in json.loads(text)["data"]["result"]:
            labels = {key: value for key, value in stream["stream"].items() if key != "run"}
            for timestamp, line, categories in stream["values"]:
                at = (int(timestamp) - self._begin_ns) // _STEP_NS
                metadata = categories.get("structuredMetadata", {})
                entries[at] = [line, labels, metadata, categories.get("parsed", {})]
        return entries

    def _changes(self, at: int, entry: Answer, metadata: dict[str, str]) -> dict[str, Any] | None:
        if entry is None:
            return None
        line, labels, kept, parsed = entry
        changes: dict[str, Any] = {"parsed": parsed}
        if line != self._rows[at][0]:
            changes["line"] = line
        if labels != self._labels:
            changes["stream"] = labels
        if kept != metadata:
            changes["metadata"] = kept
        return changes


if __name__ == "__main__":
    record(urlsplit(os.environ["LOKI_URL"]).netloc)
