from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lokikit.cli.kit import init
from lokikit.stack.grafana.contacts import Contacts
from lokikit.stack.kit_files import kit_root
from lokikit.stack.native.alerts import write_kit_contacts
from lokikit.stack.native.stack import STOP_ORDER
from lokikit.stack.native.stack_parts import DEMO_PARTS, NativePart, stack_parts
from lokikit.stack.native.store import EMBEDDED_PART, STORE_PARTS, StoreChoice, own_url

if TYPE_CHECKING:
    from pathlib import Path

SHIP = {"AGENT": "ship"}
SLACK = Contacts(slack_url="https://hooks.slack.com/services/T/B/x")


def parts(state: Path, store: str = EMBEDDED_PART, **environ: str) -> dict[str, NativePart]:
    """The parts of a stack, by name."""
    environ = {"PATH": "", **environ}
    choice = StoreChoice(own_url(environ), store, program=state / "loki")
    made = stack_parts(state, choice, demo=True, environ=environ)
    return {part.name: part for part in made}


def test_demo_does_not_push_beside_its_agent(tmp_path: Path) -> None:
    """A Loki of the caller is taken from the demo: each of its lines travels once."""
    for name, part in parts(tmp_path, LOKI_URL="http://loki.example").items():
        if name in DEMO_PARTS:
            assert part.variables["LOKI_URL"] == "", name
            assert part.variables["LOKI_PUSH_URL"] == "", name


def test_canary_looks_into_the_loki_of_its_stack(tmp_path: Path) -> None:
    """A LOKI_URL of the caller is another Loki, where its lines never come."""
    canary = parts(tmp_path, LOKI_URL="http://loki.example", LOKI_PORT="3999")["canary"]
    assert canary.variables["LOKI_URL"] == "http://127.0.0.1:3999"


def test_writers_stop_before_the_agent(tmp_path: Path) -> None:
    """Each part has its place in the order of stopping, all that write before the agent."""
    writers, agents, stores = STOP_ORDER
    write_kit_contacts(tmp_path, SLACK)
    assert {*writers, agents[0], stores[1]} == {*parts(tmp_path, AGENT="ship"), "grafana"}


@pytest.mark.parametrize("store", STORE_PARTS)
def test_changed_retention_is_a_changed_setting(tmp_path: Path, store: str) -> None:
    """Another LOKI_RETENTION reaches the store, and makes `up` restart it and nothing else."""
    before, after = parts(tmp_path, store), parts(tmp_path, store, LOKI_RETENTION="24h")
    assert after[store].variables["LOKI_RETENTION"] == "24h"
    changed = [name for name in before if before[name].settings != after[name].settings]
    assert changed == [store]


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kit of the user, in which the commands are typed; messages go somewhere."""
    folder = tmp_path / "kit"
    init(folder)
    monkeypatch.chdir(folder)
    write_kit_contacts(tmp_path, SLACK)
    return folder


def test_parts_read_the_kit_in_which_up_was_typed(tmp_path: Path, kit: Path) -> None:
    """They run in the state folder, from which they took the files of the package."""
    made = parts(tmp_path)
    for name in ("store", "page", "alerts"):
        assert kit_root(made[name].variables) == kit, name


@pytest.mark.parametrize(
    ("file", "restarted"),
    [
        ("grafana/provisioning/alerting/rules.yaml", ["alerts"]),
        ("grafana/dashboards/tasks.json", ["page"]),
        ("grafana/RUNBOOKS.md", ["page"]),
        ("loki/loki.yaml", ["store"]),
    ],
)
def test_a_changed_file_of_the_kit_restarts_who_reads_it(
    tmp_path: Path, kit: Path, file: str, restarted: list[str]
) -> None:
    """The page reads the rules anew for each answer."""
    before = {name: part.settings for name, part in parts(tmp_path).items()}
    (kit / file).write_text((kit / file).read_text() + "\n")
    after = {name: part.settings for name, part in parts(tmp_path).items()}
    assert [name for name in before if before[name] != after[name]] == restarted


def test_loki_elsewhere_is_no_part(tmp_path: Path) -> None:
    """Agent and canary use it, and nothing here stores lines."""
    made = stack_parts(tmp_path, StoreChoice("http://loki.example:80"), demo=False, environ=SHIP)
    named = {part.name: part for part in made}
    assert set(named).isdisjoint(STORE_PARTS)
    assert "http://loki.example:80" in named["ship"].command
    assert named["canary"].variables["LOKI_URL"] == "http://loki.example:80"
