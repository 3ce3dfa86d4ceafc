"""Tests that share a server are named where the workers get their work."""

from __future__ import annotations

import ast
from itertools import chain

import pytest
from tests.schedule import TOGETHER

from lokikit.stack.kit_files import kit_root

STARTERS = {"cluster", "installing", "trial"}
"""Fixtures that start a control plane."""


def test_all_tests_on_a_control_plane_go_to_one_worker() -> None:
    """Each worker that gets one of them starts another control plane."""
    found = set()
    for path in (kit_root() / "tests/chart").glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                asked = {one.arg for one in (*node.args.args, *node.args.kwonlyargs)}
                if asked & STARTERS:
                    found.add(f"tests/chart/{path.name}::{node.name}")
    assert found
    assert {one for one in found if not one.startswith(TOGETHER["a control plane"])} == set()


@pytest.mark.parametrize("beginning", [*chain.from_iterable(TOGETHER.values())])
def test_what_goes_together_is_there(beginning: str) -> None:
    """A test that was renamed is no longer kept with the others."""
    file, _, name = beginning.partition("::")
    path = kit_root() / file
    assert path.exists()
    assert not name or f"def {name}(" in path.read_text()
