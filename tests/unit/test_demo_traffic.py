from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.waiting import eventually

from lokikit import fields

DEMO = Path(__file__).parents[2] / "deploy/demo"


def lines_of(output: Path) -> list[dict[str, Any]]:
    """What the program wrote so far, whole lines only."""
    *whole, _ = output.read_bytes().split(b"\n")
    return [json.loads(line) for line in whole]


def test_an_absent_shop_is_a_warning_and_sigterm_a_clean_end(tmp_path: Path) -> None:
    """Customers log that nobody answers, keep trying, and leave at once when told to."""
    output = tmp_path / "traffic.log"
    # Bound but not listening: whoever connects is refused, and nobody else gets the port.
    with socket.socket() as nobody, output.open("ab") as stdout:
        nobody.bind(("127.0.0.1", 0))
        traffic = subprocess.Popen(
            [sys.executable, "-W", "error", "traffic.py"],
            cwd=DEMO,
            env={**os.environ, "LOG_FORMAT": "json", "DEMO_PORT": str(nobody.getsockname()[1])},
            stdout=stdout,
            stderr=stdout,
        )
        eventually(lambda: lines_of(output))
        assert traffic.poll() is None
        traffic.send_signal(signal.SIGTERM)
        assert traffic.wait(30) == 0
    assert {line[fields.LEVEL] for line in lines_of(output)} == {"warning"}
    assert lines_of(output)[0][fields.MESSAGE].startswith("the shop does not answer: ")
    assert lines_of(output)[0][fields.SERVICE] == "traffic"


def test_a_round_has_every_kind_of_journey() -> None:
    """Whatever the shuffle, one round holds the slow, the refused and the crashing ones."""
    program = (
        "import itertools, journeys as j; "
        "got = {*itertools.islice(j.shuffled(), len(j.ROUND))}; "
        "print(got >= {j.browse, j.buy, *j.SLOW, *j.REFUSED, *j.CRASHING})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=DEMO, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"
