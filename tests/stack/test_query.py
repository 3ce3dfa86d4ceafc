"""`lokikit query` and the client on a real Loki: complete, exact, readable, clear when it fails."""

from __future__ import annotations

import json
import random
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.stack.asking import Row, command, environment, new_labels, push, run, selector

from lokikit.query.client import Loki

if TYPE_CHECKING:
    from lokikit.query.paging import Direction

COUNT = 12_000
MINUTE_NS = 60_000_000_000


@dataclass(frozen=True)
class Stored:
    """Rows that a Loki has, and how to ask for them."""

    url: str
    query: str
    rows: list[Row]
    start_ns: int
    end_ns: int


def store(url: str, rows: list[Row]) -> Stored:
    """Push `rows`, and say how to ask for them."""
    labels = new_labels()
    push(url, labels, rows)
    times = [time_ns for time_ns, _ in rows]
    return Stored(url, selector(labels), rows, min(times), max(times) + 1)


@pytest.fixture(scope="module")
def spread(loki_url: str) -> Stored:
    """12,000 rows, up to three at each timestamp."""
    start_ns = time.time_ns() - 5 * MINUTE_NS
    return store(loki_url, [(start_ns + n // 3 * 1000, f"row {n}") for n in range(COUNT)])


@pytest.fixture(scope="module")
def heap(loki_url: str) -> Stored:
    """12,000 rows, 7,000 of them at one timestamp, the others around it."""
    start_ns = time.time_ns() - 5 * MINUTE_NS
    middle = [(start_ns + 3000, f'{{"message": "at once", "n": {n}}}') for n in range(7000)]
    before = [(start_ns + n, f"before {n}") for n in range(2500)]
    after = [(start_ns + 4000 + n, f"after {n}") for n in range(2500)]
    return store(loki_url, before + middle + after)


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("name", ["spread", "heap"])
def test_pages_are_exact(name: str, direction: Direction, spread: Stored, heap: Stored) -> None:
    """More than one answer holds comes complete, without duplicates, in order of time."""
    stored = {"spread": spread, "heap": heap}[name]
    found = [
        (entry.timestamp_ns, entry.line)
        for entry in Loki(stored.url, timeout_s=60).query_range(
            stored.query, stored.start_ns, stored.end_ns, direction=direction
        )
    ]
    times = [time_ns for time_ns, _ in found]
    assert times == sorted(times, reverse=direction == "backward")
    assert sorted(found) == sorted(stored.rows)


@pytest.mark.loki_in_soak
def test_a_heap_behind_stages(heap: Stored) -> None:
    """A timestamp that fills pages is split by the line as the query gives it, not as stored."""
    query = f'{heap.query} | line_format "<{{{{__line__}}}}>" | drop env # a comment'
    entries = Loki(heap.url, timeout_s=60).query_range(query, heap.start_ns, heap.end_ns)
    assert sorted(entry.line for entry in entries) == sorted(f"<{line}>" for _, line in heap.rows)


def test_a_heap_of_strange_characters(loki_url: str) -> None:
    """The split holds for any text: quotes, escapes, line ends, characters beyond 16 bits."""
    alphabet, rng = '`"\\\n\t\0 .[]-^ä€😀', random.Random(3)
    words = {"".join(rng.choices(alphabet, k=rng.randrange(1, 7))) for _ in range(1500)}
    stored = store(loki_url, [(time.time_ns(), word) for word in ["x", *words]][1:])
    at_once = store(loki_url, [(stored.start_ns, word) for word in sorted(words)])
    entries = Loki(loki_url, page_entries=100).query_range(
        at_once.query, at_once.start_ns, at_once.end_ns
    )
    assert sorted(entry.line for entry in entries) == sorted(words)


def test_labels_metadata_and_parsed_fields_apart(loki_url: str) -> None:
    """What names the stream, what Loki knows of the line, and what the query found are three."""
    stored = store(loki_url, [(time.time_ns(), '{"level": "error", "order": 17}')])
    entries = Loki(loki_url).query_range(f"{stored.query} | json", stored.start_ns, stored.end_ns)
    (entry,) = entries
    assert set(entry.labels) == {"service_name", "env"}
    assert entry.metadata == {"detected_level": "error"}
    assert entry.parsed == {"level": "error", "order": "17"}


def test_labels_and_series(loki_url: str) -> None:
    """The client knows which labels and streams there are, and that Loki is ready."""
    stored = store(loki_url, [(time.time_ns(), "line")])
    loki = Loki(loki_url)
    assert {"service_name", "env"} <= set(loki.labels())
    (series,) = loki.series(stored.query, stored.start_ns, stored.end_ns)
    assert series["env"] == "test"
    assert loki.ready()


def test_raw_is_byte_for_byte(spread: Stored) -> None:
    """`--limit 0 -o raw --forward` prints every line, and nothing else."""
    done = run(
        spread.url, "query", spread.query, "--limit", "0", "-o", "raw", "--forward", "--since", "1h"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == sorted(line for _, line in spread.rows)


def test_limit_says_that_there_are_more(spread: Stored) -> None:
    """With a limit the newest lines come first, and a note beside the output says that it cut."""
    done = run(spread.url, "query", spread.query, "--limit", "3", "-o", "raw")
    newest = {line for _, line in spread.rows[-3:]}
    assert set(done.stdout.splitlines()) == newest
    assert "there are more" in done.stderr
    assert "--limit 0" in done.stderr


def test_a_limit_that_is_not_reached_says_nothing(loki_url: str) -> None:
    """Exactly as many lines as the limit is no reason for a note."""
    stored = store(loki_url, [(time.time_ns() - MINUTE_NS + n, f"row {n}") for n in range(3)])
    done = run(loki_url, "query", stored.query, "--limit", "3")
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "", 3)


def test_jsonl(loki_url: str) -> None:
    """Each line of jsonl is one object with the time to the nanosecond, labels and metadata."""
    stored = store(loki_url, [(time.time_ns() - MINUTE_NS, "ü\\ \x1b[31m")])
    (line,) = run(loki_url, "query", stored.query, "-o", "jsonl").stdout.splitlines()
    content = json.loads(line)
    assert content["timestamp"].endswith(f"{stored.start_ns % 10**9:09d}Z")
    assert content["labels"]["env"] == "test"
    assert content["metadata"] == {"detected_level": "unknown"}
    assert content["line"] == "ü\\ \x1b[31m"


def test_text(loki_url: str) -> None:
    """Text shows level, service and message of a line of the contract, without escape codes."""
    line = json.dumps({"level": "error", "message": "no stock", "service": "shop", "order": 17})
    stored = store(loki_url, [(time.time_ns() - MINUTE_NS, line)])
    done = run(loki_url, "query", stored.query)
    assert done.stdout.rstrip("\n").endswith("Z ERROR    shop no stock order=17")
    assert "\x1b" not in done.stdout


def test_from_and_to(spread: Stored) -> None:
    """`--from` is part of the span and `--to` is not."""
    first, second = (
        json.loads(line)["timestamp"]
        for line in run(
            spread.url, "query", spread.query, "--forward", "-o", "jsonl", "--limit", "4"
        ).stdout.splitlines()[::3]
    )
    done = run(spread.url, "query", spread.query, "--from", first, "--to", second, "-o", "raw")
    assert sorted(done.stdout.splitlines()) == ["row 0", "row 1", "row 2"]


def test_nothing_found(loki_url: str) -> None:
    """No lines is no error, but it is said, with the span that was searched."""
    done = run(loki_url, "query", '{service_name="nobody"}')
    assert (done.returncode, done.stdout) == (0, "")
    assert "no lines from" in done.stderr


def test_vector_table(spread: Stored) -> None:
    """A metrics query is a table: a column per label and the value."""
    done = run(spread.url, "query", f"sum by (env) (count_over_time({spread.query}[1h]))")
    header, row = (line.split() for line in done.stdout.splitlines())
    assert (header, row) == (["env", "value"], ["test", str(COUNT)])


def test_matrix_table(spread: Stored) -> None:
    """With `--step` a metrics query is a row for each time."""
    query = f"sum(count_over_time({spread.query}[1h]))"
    done = run(spread.url, "query", query, "--since", "2m", "--step", "1m")
    header, *rows = (line.split() for line in done.stdout.splitlines())
    assert header == ["time", "value"]
    assert len(rows) >= 2
    assert {value for _, value in rows} == {str(COUNT)}


def test_scalar_table(loki_url: str) -> None:
    """A scalar is a table of one value, and the bare value when raw."""
    assert run(loki_url, "query", "6 * 7").stdout.split() == ["value", "42"]
    assert run(loki_url, "query", "6 * 7", "-o", "raw").stdout == "42\n"


def test_metrics_as_jsonl(spread: Stored) -> None:
    """A metrics query as jsonl is one object per value."""
    query = f"sum by (env) (count_over_time({spread.query}[1h]))"
    content = json.loads(run(spread.url, "query", query, "-o", "jsonl").stdout)
    assert (content["labels"], content["value"]) == ({"env": "test"}, str(COUNT))


@pytest.mark.parametrize("query", ['{service_name="x', "sum(", '{service_name=~".*"}'])
def test_a_wrong_query_is_explained_by_loki(loki_url: str, query: str) -> None:
    """What Loki says of a wrong query is shown with its position, and the exit code is 2."""
    done = run(loki_url, "query", query)
    assert (done.returncode, done.stdout) == (2, "")
    assert "parse error" in done.stderr


def test_loki_away(loki_url: str) -> None:
    """Without a Loki the error says where it was looked for and what to do; exit code 4."""
    nowhere = loki_url.rpartition(":")[0] + ":9"
    done = run(nowhere, "query", '{service_name="x"}')
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert nowhere in done.stderr
    assert "is it running? See `lokikit status`" in done.stderr


def test_a_reader_that_goes_away(spread: Stored) -> None:
    """`| head` ends the command at once and quietly."""
    with subprocess.Popen(
        command("query", spread.query, "--limit", "0", "-o", "raw"),
        env=environment(spread.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"row ")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
