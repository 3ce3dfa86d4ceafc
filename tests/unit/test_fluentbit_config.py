"""The agent's YAML without an agent: sections, plugins, properties, includes, variables, rules.

`tests/agent` has Fluent Bit itself check the same files, where there is one.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from dotenv import dotenv_values

from lokikit.fields import TIME_FIELDS
from lokikit.ship.tracebacks import RULES
from lokikit.stack.agent_metrics import OUTPUTS
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = kit_root() / "fluentbit"
FILES = sorted(FOLDER.rglob("*.yaml"))
ENTRIES = [path for path in FILES if "- pipeline.yaml" in path.read_text()]
SECTIONS = {"includes", "service", "parsers", "multiline_parsers", "pipeline"}

SERVICE = """
    flush grace log_level json.escape_unicode scheduler.base scheduler.cap http_server http_listen
    http_port health_check storage.path storage.metrics storage.max_chunks_up
    storage.backlog.mem_limit storage.keep.rejected storage.rejected.path storage.rejected.limit
    hc_errors_count hc_retry_failure_count
"""
INPUTS = {
    "dummy": "tag dummy interval_sec interval_nsec",
    "forward": "listen port tag_prefix buffer_chunk_size buffer_max_size",
    "http": "listen port tag buffer_max_size",
    "kubernetes_events": """tag kube_url kube_ca_file kube_token_file kube_retention_time
        interval_sec db""",
    "tail": """path exclude_path tag tag_regex multiline.parser read_from_head refresh_interval
        read_newly_discovered_files_from_head ignore_older rotate_wait buffer_chunk_size
        buffer_max_size skip_empty_lines skip_long_lines truncate_long_lines db""",
}
EVERY_INPUT = "name alias processors storage.type mem_buf_limit threaded"
FILTERS = {
    "grep": "exclude regex",
    "kubernetes": """use_journal cache_use_docker_id kube_url kube_ca_file kube_token_file
        kube_namespace_file regex_parser annotations merge_log buffer_size log_level""",
    "lua": "script code call time_as_table",
    "modify": "rename copy add set remove remove_wildcard condition",
    "multiline": "mode multiline.key_content multiline.parser flush_ms emitter_name",
    "parser": "key_name parser reserve_data preserve_key",
}
EVERY_FILTER = "name match match_regex"
OUTPUT = """
    name alias match match_regex host port uri tenant_id tenant_id_key http_user http_passwd
    bearer_token tls tls.verify tls.verify_hostname tls.ca_file tls.crt_file tls.key_file
    labels structured_metadata structured_metadata_map_keys drop_single_key retry_limit
    storage.total_limit_size workers
"""
"""Properties that the plugins know. Before you add one, see that Fluent Bit takes it."""
SHARED = {"host", "port", "uri", "tenant_id", "http_user", "http_passwd", "bearer_token"} | {
    f"tls{more}"
    for more in ("", ".verify", ".verify_hostname", ".ca_file", ".crt_file", ".key_file")
}
"""How an output reaches Loki."""


def read(path: Path) -> dict[str, Any]:
    """What stands in one file, in which no key stands twice."""
    _refuse_twice(yaml.compose(path.read_text()))
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    return found


def _refuse_twice(node: yaml.Node | None) -> None:
    """YAML's own loader takes the last one."""
    if isinstance(node, yaml.MappingNode):
        names = Counter(key.value for key, _ in node.value)
        assert max(names.values(), default=1) == 1, (node.start_mark, names)
        for _, value in node.value:
            _refuse_twice(value)
    if isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_twice(value)


def included(path: Path) -> Iterator[Path]:
    """The file and all that it includes, as Fluent Bit reads them."""
    yield path
    for name in read(path).get("includes", ()):
        yield from included(path.parent / name)


def plugins(kind: str, path: Path) -> list[dict[str, Any]]:
    """The inputs, filters or outputs of one file; processors are filters."""
    pipeline = read(path).get("pipeline", {})
    found = list(pipeline.get(kind, ()))
    if kind == "filters":
        for one in pipeline.get("inputs", ()):
            found += one.get("processors", {}).get("logs", ())
    return found


def by_name(path: Path) -> str:
    """The id of a file in a test."""
    return str(path.relative_to(FOLDER))


def test_there_are_entries_to_check() -> None:
    """An entry is what a runtime starts the agent with: it includes the shared pipeline."""
    assert {path.stem for path in ENTRIES} == {
        "docker",
        "docker-files",
        "kubernetes",
        "kubernetes-events",
        "native",
    }


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_sections_and_properties_are_known(path: Path) -> None:
    """No file holds a section, plugin or property that Fluent Bit does not know."""
    assert set(read(path)) <= SECTIONS
    assert set(read(path).get("service", ())) <= set(SERVICE.split())
    for one in plugins("inputs", path):
        assert set(one) <= {*INPUTS[one["name"]].split(), *EVERY_INPUT.split()}, one
    for one in plugins("filters", path):
        assert set(one) <= {*FILTERS[one["name"]].split(), *EVERY_FILTER.split()}, one
    for one in plugins("outputs", path):
        assert one["name"] == "loki"
        assert set(one) <= set(OUTPUT.split()), one


@pytest.mark.parametrize("path", ENTRIES, ids=by_name)
def test_an_entry_is_complete(path: Path) -> None:
    """What it includes is there, no name is given twice, both outputs are there."""
    files = list(included(path))
    assert len(set(files)) == len(files)
    assert all(one.is_file() for one in files)
    everything = [
        one
        for file in files
        for kind in ("inputs", "filters", "outputs")
        for one in plugins(kind, file)
    ]
    names = Counter(
        name for one in everything for key in ("alias", "emitter_name") if (name := one.get(key))
    )
    assert max(names.values()) == 1
    # Nobody posts to the agent of events.
    assert names.keys() >= OUTPUTS - ({"loki_http"} if path.stem == "kubernetes-events" else set())


def test_every_file_is_included() -> None:
    """No file is left that no entry reads; two are added to an entry by the chart."""
    read_by_entries = {file.resolve() for path in ENTRIES for file in included(path)}
    template = (kit_root() / "deploy/chart/templates/agent/_files.tpl").read_text()
    added = {FOLDER / name for name in re.findall(r'"%s  - ([\w/-]+\.yaml)', template)}
    assert len(added) == 2
    assert read_by_entries | added == set(FILES)


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_nothing_that_matters_is_left_to_a_default(path: Path) -> None:
    """Inputs buffer on disk; what filters match, and how outputs retry and fill up, is said."""
    pipeline = read(path).get("pipeline", {})
    for one in pipeline.get("inputs", ()):
        assert one["storage.type"] == "filesystem"
    for one in [*pipeline.get("filters", ()), *pipeline.get("outputs", ())]:
        assert ("match" in one) != ("match_regex" in one)
    for one in pipeline.get("outputs", ()):
        assert {"retry_limit", "storage.total_limit_size", "tls", "tenant_id"} <= set(one)


def test_both_outputs_reach_loki_alike() -> None:
    """Whatever came by HTTP goes to the same Loki with the same credentials."""
    lines, posts = (plugins("outputs", FOLDER / name)[0] for name in ("pipeline.yaml", "http.yaml"))
    assert lines.keys() & posts.keys() >= SHARED
    assert [(name, lines[name]) for name in SHARED] == [(name, posts[name]) for name in SHARED]


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_a_variable_has_a_default_or_must_be_set(path: Path) -> None:
    """One without is in `.env`, or the settings say that it must be set; defaults do not nest."""
    text = path.read_text()
    assert text.count("${") == len(re.findall(r"\$\{\w+(?::-[^${}]*)?\}", text))
    readme = (kit_root() / "docs/settings.md").read_text()
    must = set(re.findall(r"^\| `(\w+)` \|.*\| must be set \|$", readme, re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+)\}", text)) <= {*dotenv_values(kit_root() / ".env"), *must}


def test_the_time_is_read_where_ship_reads_it() -> None:
    """Both by the contract's script and of what came by `POST /logs`."""
    text = (FOLDER / "contract.lua").read_text()
    names = re.search(r"local TIME_FIELDS = \{(.*)\}", text)
    assert names
    assert re.findall(r'"([^"]+)"', names[1]) == list(TIME_FIELDS)
    (copied,) = [one["copy"] for one in plugins("filters", FOLDER / "http.yaml") if "copy" in one]
    assert [one.split()[0] for one in copied] == list(TIME_FIELDS)
    assert {one.split()[1] for one in copied} == {"_lokikit_time"}


def test_tracebacks_are_joined_by_the_rules_of_ship() -> None:
    """The agent has the states and patterns of `lokikit.ship.tracebacks`, in their order."""
    (parser,) = read(FOLDER / "tracebacks.yaml")["multiline_parsers"]
    found = [(rule["state"], rule["regex"], rule["next_state"]) for rule in parser["rules"]]
    assert found == [(rule.state, f"/{rule.pattern}/", rule.next_state) for rule in RULES]
    for path in FILES:
        for one in plugins("filters", path):
            if "multiline.parser" in one:
                assert one["flush_ms"] == parser["flush_timeout"]
