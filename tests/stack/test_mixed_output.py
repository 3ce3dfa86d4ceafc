"""Filters, prints, threads, tasks and forks at once: each line whole on stdout, once in Loki."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.programs import mixed
from tests.stack.pushing import REPOSITORY, new_service
from tests.stack.shipping import stored

pytestmark = pytest.mark.loki_in_soak

_NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
_END_S = 240


@dataclass
class Played:
    """What came of one run.

    Args:
        as_pid_1: whether its main process was the first of a PID namespace.
        stdout: the lines of it.
        pushed: what Loki has.
        plain: the lines that are no JSON.
        lines: the others.
    """

    as_pid_1: bool
    stdout: list[str]
    pushed: list[dict[str, Any]]
    plain: list[str] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Tell plain lines from the others."""
        for line in self.stdout:
            if line.startswith("plain"):
                self.plain.append(line)
            else:
                self.lines.append(json.loads(line))


def _has_namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module", params=["buffered", "unbuffered", "buffered-pid-1"])
def played(request: pytest.FixtureRequest, loki_url: str) -> Played:
    """One run of each kind, whose stdout is a pipe."""
    as_pid_1 = "pid-1" in request.param
    if as_pid_1 and not _has_namespaces():
        pytest.skip("PID 1 IS NOT TESTED: this machine makes no PID namespaces (unshare)")
    variables = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if request.param != "unbuffered":
        del variables["PYTHONUNBUFFERED"]
    service = new_service()
    program = [sys.executable, "-m", "tests.programs.mixed", loki_url, service]
    done = subprocess.run(
        [*(_NAMESPACE if as_pid_1 else ()), *program],
        cwd=REPOSITORY,
        env=variables,
        capture_output=True,
        check=False,
        timeout=_END_S,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    pushed = [json.loads(entry.line) for entry in stored(loki_url, service)]
    return Played(as_pid_1, done.stdout.decode().splitlines(), pushed)


def _numbered(lines: list[dict[str, Any]]) -> Counter[tuple[str, int]]:
    return Counter((line["writer"], line["number"]) for line in lines)


def test_each_line_is_on_stdout_once_and_whole(played: Played) -> None:
    assert _numbered(played.lines) == mixed.expected("stdout")
    assert Counter(played.plain) == mixed.plain()


def test_each_line_is_in_loki_once(played: Played) -> None:
    assert _numbered(played.pushed) == mixed.expected("push")


def test_what_a_handler_masks_the_one_before_it_has_in_full(played: Played) -> None:
    assert {line["account"] for line in played.lines} == {mixed.ACCOUNT}
    assert {line["account"] for line in played.pushed} == {mixed.MASKED}


def test_prints_and_lines_of_one_thread_keep_their_order(played: Played) -> None:
    order = [line for line in played.stdout if "alternating" in line]
    kinds = ["plain" if line.startswith("plain") else "line" for line in order]
    assert kinds == ["plain", "line"] * mixed.COUNT


def test_each_writer_keeps_its_order(played: Played) -> None:
    by_writer = defaultdict(list)
    for line in played.lines:
        by_writer[line["writer"]].append((line["number"], line["timestamp"]))
    assert all(numbers == sorted(numbers) for numbers in by_writer.values())


def test_no_two_lines_of_a_process_have_one_time(played: Played) -> None:
    stamps = Counter((line["pid"], line["timestamp"]) for line in played.lines)
    assert max(stamps.values()) == 1


def test_fields_of_a_task_are_on_its_own_lines_alone(played: Played) -> None:
    found = {(line["writer"], line.get("bound_in")) for line in played.lines}
    assert all(bound == (name if name.startswith("task") else None) for name, bound in found)


def test_lines_say_which_process_wrote_them(played: Played) -> None:
    pids = {line["pid"] for line in played.lines}
    assert len(pids) == 1 + 2 * mixed.CHILDREN
    assert (1 in pids) is played.as_pid_1
