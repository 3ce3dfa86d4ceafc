"""`lokikit top` on a real Loki, into a pipe and on a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING

import pytest
from tests.faults import FaultProxy, Mode
from tests.stack.asking import command, environment, push, run
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.engines import Engine

LINES, ERRORS = 400, 40
"""Enough for the rule about many errors, which wants a hundred lines in ten minutes."""
_S = 1_000_000_000


@pytest.fixture(scope="module")
def empty(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Loki that has nothing, before `loki` fills it."""
    loki = engine.make(tmp_path_factory.mktemp("top"), {}).start()
    yield loki.url
    loki.kill()


@pytest.fixture(scope="module")
def loki(empty: str) -> str:
    """The same, with a service whose tenth line is an error."""
    now_ns = time.time_ns()
    rows = []
    for number in range(LINES):
        bad = number % (LINES // ERRORS) == 0
        error = {"exc_type": "ValueError", "exc_message": "no good"} if bad else {}
        line = {"level": "error" if bad else "info", "logger": "x", "message": "stored", **error}
        rows.append((now_ns - (LINES - number) * _S // 2, json.dumps(line)))
    push(empty, {"service_name": "shop", "env": "test"}, rows)
    return empty


class Terminal:
    """`lokikit top` on a terminal of its own."""

    def __init__(self, url: str, columns: int, rows: int) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        variables = {"TERM": "xterm", "COLUMNS": "", "LINES": ""}
        self.process = subprocess.Popen(
            command("top", "--every", "1s"),
            env=environment(url, **variables),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.output = ""

    def shows(self, *words: str) -> bool:
        """Whether it has shown all of that since it was last forgotten."""
        with contextlib.suppress(OSError):  # nothing is read of a terminal whose program has ended
            while select.select([self._master], [], [], 0)[0]:
                self.output += os.read(self._master, 65536).decode(errors="replace")
        return all(word in self.output for word in words)

    def frames(self) -> list[str]:
        """Each whole frame that it has shown since it was last forgotten."""
        self.shows()
        return self.output.split("lokikit top")[1:-1]

    def end(self, number: int) -> int:
        """Send it a signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def close(self) -> None:
        """End it, if need be."""
        self.process.kill()
        self.process.wait(60)
        os.close(self._master)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Closed at the end of the test."""
    opened: list[Terminal] = []
    yield opened
    for one in opened:
        one.close()


def test_no_data(empty: str) -> None:
    """A Loki without a line is no error; that no canary sings is over a threshold."""
    done = run(empty, "top", "--once")
    assert (done.returncode, done.stderr) == (0, "")
    assert "No line came in this time." in done.stdout
    assert "Pipeline silent" in done.stdout


def test_once(loki: str) -> None:
    """Into a pipe it is printed once: exact counts, the exceptions, the errors, the rules."""
    done = run(loki, "top", "--since", "10m")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines()]
    (service,) = (row for row in rows if row[:2] == ["shop", "test"])
    assert service[-3:-1] == [str(LINES), f"{ERRORS / LINES:.1%}"]
    assert ["shop", "ValueError", str(ERRORS)] in rows
    assert any(row[1:] == ["shop", "ValueError:", "no", "good"] for row in rows)
    assert "Many errors" in done.stdout
    assert "\x1b" not in done.stdout


def test_live(loki: str, terminals: list[Terminal]) -> None:
    """On a terminal it goes on until Ctrl-C, and leaves the screen as it was."""
    terminals.append(one := Terminal(loki, 100, 30))
    eventually(lambda: one.shows("shop", "ValueError", "Many errors"), within_s=60)
    one.output = ""
    eventually(lambda: one.shows("shop"))
    assert one.process.poll() is None
    assert one.end(signal.SIGINT) == 0
    assert one.shows("\x1b[?1049l")


@pytest.mark.loki_in_soak
def test_loki_goes_and_comes(loki: str, terminals: list[Terminal]) -> None:
    """It keeps trying, reports that, keeps its content, and goes on; in a pipe it is an error."""
    proxy = FaultProxy(loki)
    terminals.append(one := Terminal(proxy.url, 60, 24))
    eventually(lambda: one.shows("shop", "400"), within_s=60)
    proxy.switch(Mode.REFUSE)
    one.output = ""
    eventually(lambda: one.shows("Trying", "shop"), within_s=60)
    assert run(proxy.url, "top", "--once").returncode == 4
    proxy.switch(Mode.PASS)
    one.output = ""
    eventually(lambda: [frame for frame in one.frames() if "Trying" not in frame], within_s=60)
    assert one.end(signal.SIGTERM) == 128 + signal.SIGTERM
    proxy.close()
