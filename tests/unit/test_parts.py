from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.native.parts import DEMO_PARTS, Part, stack_parts
from lokikit.native.stack import STOP_ORDER

if TYPE_CHECKING:
    from pathlib import Path


def parts(state: Path, **environ: str) -> dict[str, Part]:
    """The parts of a stack, by name."""
    made = stack_parts(state, state / "loki", demo=True, environ=environ)
    return {part.name: part for part in made}


def test_demo_does_not_push_beside_its_agent(tmp_path: Path) -> None:
    """A LOKI_URL of the caller is taken from the demo: each of its lines travels once."""
    for name, part in parts(tmp_path, LOKI_URL="http://loki.example").items():
        if name in DEMO_PARTS:
            assert part.variables["LOKI_URL"] == "", name


def test_canary_looks_into_the_loki_of_its_stack(tmp_path: Path) -> None:
    """A LOKI_URL of the caller is another Loki, where its lines never come."""
    canary = parts(tmp_path, LOKI_URL="http://loki.example", LOKI_PORT="3999")["canary"]
    assert canary.variables["LOKI_URL"] == "http://127.0.0.1:3999"


def test_writers_stop_before_the_agent(tmp_path: Path) -> None:
    """Each part has its place in the order of stopping, all that write before the agent."""
    writers, agents, stores = STOP_ORDER
    assert {*writers, agents[0], *stores} == {*parts(tmp_path, AGENT="ship"), "grafana"}


def test_changed_retention_is_a_changed_setting(tmp_path: Path) -> None:
    """Another LOKI_RETENTION reaches Loki, and makes `up` restart it and nothing else."""
    before, after = parts(tmp_path), parts(tmp_path, LOKI_RETENTION="24h")
    assert after["loki"].variables["LOKI_RETENTION"] == "24h"
    changed = [name for name in before if before[name].settings != after[name].settings]
    assert changed == ["loki"]
