"""The native stack with small programs in place of Loki, the agent and the demo."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.ports import free_ports
from tests.waiting import eventually

from lokikit.errors import PrerequisiteError
from lokikit.stack.native.processes import MARK, end_parts, find_groups, wait_for_mark
from lokikit.stack.native.stack import alone, bring_up, conditions, remove_data, take_down
from lokikit.stack.native.stack_parts import NativePart
from lokikit.stack.part_status import Wanted, read_wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lokikit.stack.native.processes import Group

SLEEP = "import signal; print('up', flush=True); signal.pause()"
PARENT = f"import os; os.fork(); {SLEEP}"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder; whatever runs in it is ended."""
    folder = tmp_path / "state"
    folder.mkdir()
    yield folder
    for group in find_groups(folder).values():
        for process in group.members:
            process.kill()


def make_part(state: Path, code: str, name: str = "loki") -> NativePart:
    """A part that runs `code`, healthy once it has printed something."""
    log = state / f"logs/{name}.log"
    return NativePart(
        name,
        (sys.executable, "-c", code),
        log,
        "nowhere",
        cwd=state,
        healthy=lambda: log.is_file() and log.stat().st_size > 0,
        within_s=20,
    )


def up(parts: list[NativePart], state: Path) -> list[int | None]:
    """The process ids after `bring_up`, which must find everything healthy."""
    result = bring_up(parts, state, lambda _: None)
    assert all(one.healthy for one in result), result
    return [one.pid for one in result]


def test_up_starts_and_down_ends(state: Path) -> None:
    """A part runs after up; nothing of it runs after down."""
    part = make_part(state, SLEEP)
    assert up([part], state) == [find_groups(state)["loki"].members[0].pid]
    assert take_down(state) == ["loki"]
    assert find_groups(state) == {}


def test_up_again_changes_nothing(state: Path) -> None:
    """What runs well is left alone."""
    part = make_part(state, SLEEP)
    assert up([part], state) == up([part], state)


def test_up_again_knows_the_ports_of_its_own_parts(state: Path) -> None:
    """Also a port that stands in `.env` alone: a second `up` took the page for another program."""
    (free,) = free_ports(1)
    server = f"import socket; held = socket.create_server(('127.0.0.1', {free})); {SLEEP}"
    part = dataclasses.replace(make_part(state, server), ports={"PAGE_PORT": free})
    assert up([part], state) == up([part], state)


def test_up_replaces_what_was_killed(state: Path) -> None:
    """A part that was killed is started again, and only that one."""
    parts = [make_part(state, SLEEP), make_part(state, SLEEP, "ship")]
    first = up(parts, state)
    os.kill(find_groups(state)["loki"].members[0].pid, signal.SIGKILL)
    eventually(lambda: "loki" not in find_groups(state))
    second = up(parts, state)
    assert second[0] != first[0]
    assert second[1] == first[1]


def test_changed_settings_restart_a_part(state: Path) -> None:
    """Another command line or variable is a reason to start anew."""
    part = make_part(state, SLEEP)
    first = up([part], state)
    assert up([dataclasses.replace(part, variables={"NEW": "1"})], state) != first


def test_secrets_are_not_inherited(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contacts of alerts are for Grafana's files, not for the environment of each process."""
    monkeypatch.setenv("ALERT_SLACK_URL", "https://example.org/hunter2")
    monkeypatch.setenv("ANOTHER", "1")
    up([make_part(state, SLEEP)], state)
    environ = find_groups(state)["loki"].environ
    assert environ["ANOTHER"] == "1"
    assert "hunter2" not in "".join(environ.values())


def test_orphans_are_ended(state: Path) -> None:
    """Children whose parent was killed are found and ended by down."""
    up([make_part(state, PARENT)], state)
    group = eventually(lambda: _of_size(state, 2))
    assert group is not None
    assert group.leader is not None
    os.kill(group.leader.pid, signal.SIGKILL)
    orphan = eventually(lambda: _of_size(state, 1))
    assert orphan is not None
    assert orphan.leader is None
    take_down(state)
    assert find_groups(state) == {}


def _of_size(state: Path, size: int) -> Group | None:
    group = find_groups(state).get("loki")
    return group if group and len(group.members) == size else None


def test_orphans_do_not_count_as_running(state: Path) -> None:
    """A part of which only children are left is not healthy, and is started again."""
    part = make_part(state, PARENT)
    up([part], state)
    group = eventually(lambda: _of_size(state, 2))
    assert group is not None
    assert group.leader is not None
    os.kill(group.leader.pid, signal.SIGKILL)
    eventually(lambda: _of_size(state, 1))
    assert not conditions([part], state)[0].healthy
    assert up([part], state)[0] not in [process.pid for process in group.members]


def test_deaf_process_is_killed(state: Path) -> None:
    """A process that ignores being asked is killed after the grace time."""
    up([make_part(state, DEAF)], state)
    assert end_parts(["loki"], state, grace_s=0.5) == ["loki"]
    assert find_groups(state) == {}


def test_another_state_is_not_touched(state: Path, tmp_path: Path) -> None:
    """Down ends only the processes of its own state folder."""
    up([make_part(state, SLEEP)], state)
    assert take_down(tmp_path / "other") == []
    assert "loki" in find_groups(state)


def test_unwanted_part_is_stopped(state: Path) -> None:
    """Up without the demo ends a demo that runs."""
    loki, shop = make_part(state, SLEEP), make_part(state, SLEEP, "shop")
    up([loki, shop], state)
    assert read_wanted(state) == Wanted(demo=True)
    up([loki], state)
    assert list(find_groups(state)) == ["loki"]
    assert read_wanted(state) == Wanted(demo=False)


def test_part_that_ends_is_unhealthy(state: Path) -> None:
    """A part that ends at once is reported before its deadline."""
    part = dataclasses.replace(make_part(state, "raise SystemExit(1)"), within_s=3600)
    (output,) = bring_up([part], state, lambda _: None)
    assert (output.healthy, output.pid) == (False, None)


def test_part_that_is_unwell_for_a_moment(state: Path) -> None:
    """What got healthy may be asked while it is unwell: it has time to recover."""
    answers = iter([True, False])
    part = make_part(state, SLEEP)
    part = dataclasses.replace(part, healthy=lambda: next(answers, True))
    (output,) = bring_up([part], state, lambda _: None)
    assert output.healthy


def test_part_that_cannot_be_asked_and_ends(state: Path) -> None:
    """A part without a health of its own that ends in its first moments is unhealthy."""
    part = make_part(state, "import time; time.sleep(0.5); raise SystemExit('no good')")
    part = dataclasses.replace(part, healthy=lambda: True, settles_s=10)
    (output,) = bring_up([part], state, lambda _: None)
    assert not output.healthy
    assert output.last_words == "no good"


def test_mark_can_be_read_once_it_was_waited_for() -> None:
    """A new program shows its mark after the wait, each of a hundred times: before, one in ten."""
    for _ in range(100):
        with subprocess.Popen(
            [sys.executable, "-S", "-c", SLEEP],
            env={MARK: "part@here"},
            stdout=subprocess.DEVNULL,
        ) as process:
            wait_for_mark(process, MARK)
            environ = psutil.Process(process.pid).environ()
            process.kill()
        assert environ.get(MARK) == "part@here"


def test_taken_port_leaves_the_stack_alone(state: Path) -> None:
    """When a new port is taken, what runs with the old one goes on."""
    part = make_part(state, SLEEP)
    first = up([part], state)
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = {"LOKI_PORT": server.getsockname()[1]}
        moved = dataclasses.replace(part, ports=taken, variables={"LOKI_PORT": "new"})
        with pytest.raises(PrerequisiteError, match="LOKI_PORT"):
            bring_up([moved], state, lambda _: None)
    assert conditions([part], state)[0].pid == first[0]


def test_log_over_the_limit_is_put_aside(state: Path) -> None:
    """A log above its limit is renamed before the part starts; one below is appended to."""
    part = dataclasses.replace(make_part(state, SLEEP), max_log_bytes=10)
    part.log.parent.mkdir()
    part.log.write_text("short\n")
    up([part], state)
    assert part.log.read_text().startswith("short\n")
    take_down(state)
    part.log.write_text("longer than ten\n")
    up([part], state)
    assert part.log.with_name("loki.log.1").read_text() == "longer than ten\n"
    assert "longer" not in part.log.read_text()


def test_stale_state_is_no_hindrance(state: Path) -> None:
    """Broken leftovers in the state folder stop neither up nor down."""
    (state / "wanted.json").write_text("{broken")
    (state / ".lock").touch()
    assert read_wanted(state) is None
    up([make_part(state, SLEEP)], state)
    assert take_down(state) == ["loki"]


def test_removing_data_keeps_foreign_files(state: Path) -> None:
    """Only what the stack wrote is removed from the state folder."""
    up([make_part(state, SLEEP)], state)
    (state / "mine.txt").touch()
    take_down(state)
    remove_data(state)
    assert sorted(one.name for one in state.iterdir() if one.name != ".lock") == ["mine.txt"]


def test_second_one_waits_and_says_so(state: Path) -> None:
    """While one `up` or `down` is at work, another says that it waits."""
    entries: list[object] = []
    with alone(state, entries.append):
        code = (
            "import sys; from pathlib import Path; from lokikit.stack.native.stack import alone\n"
            "with alone(Path(sys.argv[1]), lambda text: print(text, flush=True)): print('in')"
        )
        second = subprocess.Popen(
            [sys.executable, "-c", code, str(state)], stdout=subprocess.PIPE, text=True
        )
        assert second.stdout is not None
        assert "waiting" in second.stdout.readline()
    assert second.communicate()[0] == "in\n"
    assert entries == []


@pytest.mark.parametrize("taken", ["state", "state/logs"])
def test_state_that_cannot_be_written(tmp_path: Path, taken: str) -> None:
    """A file where a folder must be is one sentence with the way out, not a traceback."""
    state = tmp_path / "state"
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).touch()
    with (
        pytest.raises(PrerequisiteError, match=f"{state}.* exists.* set LOKIKIT_STATE"),
        alone(state, lambda _: None),
    ):
        bring_up([make_part(state, SLEEP)], state, lambda _: None)


def test_part_starts_once_what_it_needs_is_healthy(state: Path) -> None:
    """Parts that need each other not start side by side."""
    first = make_part(state, f"import time; time.sleep(0.5); {SLEEP}")
    code = f"import pathlib; print(pathlib.Path({str(first.log)!r}).read_text()); {SLEEP}"
    second = dataclasses.replace(make_part(state, code, "shop"), needs=(first.name,))
    bring_up([first, second], state, lambda _: None)
    assert second.log.read_text().startswith("up")
