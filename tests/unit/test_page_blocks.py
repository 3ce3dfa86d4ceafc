"""Each block of the README and the pages is run by a test, or says why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.page_blocks import ELSEWHERE, TYPED, WHOLE_BLOCKS, Block, begins, blocks

from lokikit import fields
from lokikit.monitoring import canary
from lokikit.stack.kit_files import kit_root

BLOCKS = list(blocks())


def unknown_commands(block: Block) -> list[str]:
    """The commands of a shell that no test is known to run."""
    known = (*TYPED, *ELSEWHERE)
    return [
        " ".join(command)
        for command in block.commands
        if not any(begins(command, beginning) for beginning in known)
    ]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_run_or_says_why_not(block: Block) -> None:
    if block.reason or block.runner:
        return
    assert block.language == "sh", (
        "name the test in tests/page_blocks.py, or say why nothing runs it"
    )
    assert unknown_commands(block) == []


def test_what_runs_the_blocks_is_there() -> None:
    for path in {*WHOLE_BLOCKS.values(), *ELSEWHERE.values()}:
        assert (kit_root() / path).exists(), path


@pytest.mark.parametrize("place", sorted(WHOLE_BLOCKS), ids=" ".join)
def test_what_runs_a_pages_blocks_reads_the_page(place: tuple[str, str]) -> None:
    """The test names the page, or takes its blocks from a helper that does."""
    text = (kit_root() / WHOLE_BLOCKS[place]).read_text()
    helpers = {"tests.integration.page": "frameworks.md", "tests.agent.splitting": "split-files.md"}
    named = [place[0], *(helper for helper, page in helpers.items() if page == place[0])]
    assert any(name in text for name in named) or WHOLE_BLOCKS[place].endswith(Path(__file__).name)


def test_each_entry_of_the_tables_is_used() -> None:
    used = {(block.page, block.language) for block in BLOCKS}
    assert set(WHOLE_BLOCKS) <= used
    shells = [block for block in BLOCKS if block.language == "sh" and not block.runner]
    typed = [command for block in shells for command in block.commands]
    known = (*TYPED, *ELSEWHERE)
    assert [one for one in known if not any(begins(command, one) for command in typed)] == []


CONTRACT_LINES = [
    line
    for block in BLOCKS
    for line in block.text.splitlines()
    if block.language == "json" and line.startswith('{"timestamp"')
]


@pytest.mark.parametrize("number", range(len(CONTRACT_LINES)))
def test_a_line_on_a_page_follows_the_contract(number: int) -> None:
    """It has each required field, and the fields of the contract in its order."""
    names = list(json.loads(CONTRACT_LINES[number]))
    assert set(fields.REQUIRED_FIELDS) <= set(names)
    of_the_contract = [name for name in names if name in fields.LINE_FIELDS]
    assert of_the_contract == [name for name in fields.LINE_FIELDS if name in names]
    assert names[: len(of_the_contract)] == of_the_contract


def test_the_line_of_the_canary_is_the_canarys() -> None:
    (line,) = (json.loads(text) for text in CONTRACT_LINES if fields.CANARY_RUN in text)
    assert line[fields.LOGGER] == fields.CANARY_LOGGER
    caller, function = line[fields.CALLER].split()
    source = Path(canary.__file__).read_text()
    assert caller.partition(":")[0] == "lokikit/monitoring/canary.py"
    assert f"def {function.rpartition('.')[2]}(" in source


OF_THE_CLUSTER = [
    block for block in BLOCKS if (block.page, block.language) == ("kubernetes.md", "yaml")
]


def unknown_keys(content: Any, values: Any) -> list[str]:
    """The keys that the chart's values lack; keys below an empty value are anybody's own."""
    if not isinstance(content, dict) or not isinstance(values, dict) or not values:
        return []
    own = [key for key in content if key not in values]
    return own + [key for name in values for key in unknown_keys(content.get(name), values[name])]


@pytest.mark.parametrize("block", OF_THE_CLUSTER, ids=str)
def test_yaml_for_the_cluster_is_read_by_chart_or_agent(block: Block) -> None:
    """Values are those of the chart; annotations and labels are those that the kit reads."""
    values = yaml.safe_load((kit_root() / "deploy/chart/values.yaml").read_text())
    for content in yaml.safe_load_all(block.text):
        metadata = content.get("metadata", {})
        if not metadata:
            assert unknown_keys(content, values) == []
        for name in (*metadata.get("annotations", {}), *metadata.get("labels", {})):
            assert read_somewhere(name), name


def read_somewhere(name: str) -> bool:
    """Return True when chart or agent has the name of an annotation or label."""
    files = [*(kit_root() / "fluentbit").rglob("*.*"), *(kit_root() / "deploy/chart").rglob("*.*")]
    texts = (path.read_text(encoding="utf-8") for path in files if path.is_file())
    return any(name in text for text in texts)
