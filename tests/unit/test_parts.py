from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.native.parts import DEMO_PARTS, Part, stack_parts

if TYPE_CHECKING:
    from pathlib import Path


def parts(state: Path, **environ: str) -> dict[str, Part]:
    """The parts of a stack, by name."""
    made = stack_parts(state, state / "loki", demo=True, environ=environ)
    return {part.name: part for part in made}


def test_demo_does_not_push_beside_its_agent(tmp_path: Path) -> None:
    """A LOKI_URL of the caller is taken from the demo: each of its lines travels once."""
    for name, part in parts(tmp_path, LOKI_URL="http://loki.example").items():
        assert part.variables.get("LOKI_URL") == ("" if name in DEMO_PARTS else None), name


def test_changed_retention_is_a_changed_setting(tmp_path: Path) -> None:
    """Another LOKI_RETENTION reaches Loki, and makes `up` restart it and nothing else."""
    before, after = parts(tmp_path), parts(tmp_path, LOKI_RETENTION="24h")
    assert after["loki"].variables["LOKI_RETENTION"] == "24h"
    changed = [name for name in before if before[name].settings != after[name].settings]
    assert changed == ["loki"]
