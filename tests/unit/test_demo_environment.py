from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "deploy/demo"


def read(expression: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What an expression over `demo`, the settings of the demo, prints."""
    program = f"import environment; demo = environment.read_demo(); print({expression})"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=DEMO,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_port_is_that_of_the_kit() -> None:
    """Without a variable the shop listens where `.env` says that it does."""
    assert read("demo.port").stdout.strip() == dotenv_values(ROOT / ".env")["DEMO_PORT"]


def test_a_variable_wins_over_the_default() -> None:
    """Numbers are read as numbers."""
    done = read("demo.requests_per_s * 2, demo.requests + 1", DEMO_REQUESTS_PER_S="7.5")
    assert done.stdout.strip() == "15.0 1"


@pytest.mark.parametrize("value", ["fast", "-1", "0", "nan"])
def test_a_bad_value_is_refused_in_one_sentence(value: str) -> None:
    """It names the variable and what it held."""
    done = read("demo.requests_per_s", DEMO_REQUESTS_PER_S=value)
    assert done.returncode != 0
    assert done.stderr.startswith(f"demo: DEMO_REQUESTS_PER_S={value!r} ")
    assert done.stderr.count("\n") == 1
