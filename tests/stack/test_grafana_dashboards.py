"""Every query of every dashboard, asked of a real Loki that real traffic of the demo has filled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest
from tests.dashboards import DASHBOARDS, Chosen, Target, load, targets
from tests.panel_layout import Frame, cell_text, column_px, frames_of, laid_out, panel_px
from tests.stack.asking import push
from tests.stack.demo import ONE_ROUND_OF_TASKS, Programs

from lokikit import fields
from lokikit.monitoring.alert_rules import breaches, provisioned_rules
from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.engines import Engine

ENV = "demo"
REQUESTS = 300
RANGE_S = 600
"""Longer than the demo runs here."""
EARLIER_S = 900
"""So long ago the shop wrote before: in the time that lies before the time shown."""
EMPTY = {("lokikit-tasks", "Overdue")}
"""What has nothing to tell here: no run is old enough."""
HAVE = {
    # Service -> panels of *Service* that must be filled for it.
    "shop": {"Latency", "Requests by status", "Slowest routes", "Top exceptions", "Error ratio"},
    "jobs": {"Top exceptions", "Error ratio"},
    "traffic": set[str](),
}
ALWAYS = {"Lines by level", "Lines"}
TABLES = [
    pytest.param(path, panel, id=f"{path.stem}: {panel['title']}")
    for path in DASHBOARDS
    for panel in load(path)["panels"]
    if panel["type"] == "table"
]
LOGS = [
    pytest.param(path, target, id=str(target))
    for path in DASHBOARDS
    for target in targets(path)
    if target.max_lines
]
CASES = [
    pytest.param(path, target, id=f"{target} {number}")
    for path in DASHBOARDS
    for number, target in enumerate(targets(path))
]


class Filled:
    """A Loki with what the demo and a few others wrote.

    Args:
        url: of Loki.
        end_ns: when all of it was written.
        request_id: of a request of the demo.
    """

    def __init__(self, url: str, end_ns: int, request_id: str) -> None:
        self.loki_url = url
        self.loki = Loki(url, timeout_s=60)
        self.end_ns = end_ns
        self.request_id = request_id

    def ask(self, path: Path, target: Target, **values: str | list[str]) -> list[Any]:
        """What a panel gets when these values are chosen."""
        return self._chosen(values).ask(self.loki, target, path, self.end_ns)

    def query(self, path: Path, target: Target, **values: str | list[str]) -> str:
        """Return the query that a panel sends when these values are chosen."""
        return self._chosen(values).fill(target.expr, path)

    def _chosen(self, values: dict[str, str | list[str]]) -> Chosen:
        return Chosen({"id": self.request_id, **values}, range_s=RANGE_S, step_s=30)


@pytest.fixture(scope="module")
def filled(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """The demo, run to its end; a canary, a program of others and a drop beside it."""
    loki = engine.make(tmp_path_factory.mktemp("panels"), {}).start()
    try:
        run_demo(loki.url)
        for service, lines in others().items():
            labels = {fields.LABEL_SERVICE: service, fields.LABEL_ENV: ENV}
            push(loki.url, labels, [(time.time_ns() + n, line) for n, line in enumerate(lines)])
        bare = {fields.LEVEL: "error", fields.MESSAGE: "no env", fields.EXC_TYPE: "OSError"}
        one_row = [(time.time_ns(), orjson.dumps(bare).decode())]
        push(loki.url, {fields.LABEL_SERVICE: "bare"}, one_row)
        labels = {fields.LABEL_SERVICE: "shop", fields.LABEL_ENV: ENV}
        push(loki.url, labels, [(time.time_ns() - EARLIER_S * 10**9, '{"level":"info"}')])
        end_ns = time.time_ns()
        one = f'{{{fields.LABEL_SERVICE}="traffic"}} | {fields.REQUEST_ID}!=""'
        (entry,) = Loki(loki.url).query_range(one, end_ns - RANGE_S * 10**9, end_ns, 1)
        yield Filled(loki.url, end_ns, entry.metadata[fields.REQUEST_ID])
    finally:
        loki.kill()


def run_demo(url: str) -> None:
    """Shop, customers and jobs, all at once, until customers and jobs have ended."""
    programs = Programs(url, ENV, REQUESTS, ONE_ROUND_OF_TASKS)
    try:
        programs.run()
    finally:
        programs.deliver()


def others() -> dict[str, list[str]]:
    """Service -> lines: what the demo's own programs do not write."""
    check = {
        fields.CANARY_LOST: 0,
        fields.CANARY_LATE: 0,
        fields.CANARY_DUPLICATES: 0,
        fields.CANARY_ROUND_TRIP_S: 0.25,
        fields.CONTACT_POINTS: 0,
        fields.AGENT_DROPPED: 0,
    }
    began = {fields.TASK_NAME: "long", fields.ACTION: "run", fields.TASK_ID: uuid4().hex}
    numbered = {fields.CANARY_SEQ: 1}
    return {
        fields.CANARY_SERVICE: [orjson.dumps(one).decode() for one in (numbered, check)],
        "nightly": [orjson.dumps(began).decode()],
        "printer": ["Segmentation fault (core dumped)"],
        "pushing": ["lokikit: push: lines dropped so far: queue_full 12"],
    }


@pytest.mark.parametrize(("path", "target"), CASES)
def test_everything_is_chosen(filled: Filled, path: Path, target: Target) -> None:
    """With "All" no query is refused, and none is empty but those that have nothing to tell."""
    found = filled.ask(path, target)
    assert bool(found) == ((target.dashboard, target.panel) not in EMPTY)


@pytest.mark.loki_in_soak
@pytest.mark.parametrize(("path", "target"), CASES)
def test_each_value_is_chosen(filled: Filled, path: Path, target: Target) -> None:
    """Every value of every variable, and several at once, is understood by Loki."""
    levels = variable(path, "detected_level")["query"].split(",")
    choices: dict[str, list[str | list[str]]] = {
        "service": [*HAVE, "no.such (service)", [*HAVE]],
        "env": [ENV, "nowhere", [ENV, "nowhere"]],
        "detected_level": [*levels, levels],
        "search": ["answered", 'a "quote" \\ and $1 (no] expression'],
    }
    # A value of a variable that the query does not have changes nothing: the test above asked it.
    asked = {filled.query(path, target)}
    for name, values in choices.items():
        for value in values:
            if (query := filled.query(path, target, **{name: value})) not in asked:
                asked.add(query)
                filled.ask(path, target, **{name: value})


def frames(filled: Filled, path: Path, panel: dict[str, Any]) -> Iterator[Frame]:
    """The frames of a panel's queries, or of those of the panel that it shares."""
    for target in panel["targets"]:
        if "expr" not in target:
            (source,) = [one for one in load(path)["panels"] if one["id"] == target["panelId"]]
            yield from frames(filled, path, source)
            continue
        limit = target.get("maxLines", 0)
        asked = Target(path.stem, panel["title"], target["expr"], target["queryType"], limit)
        yield from frames_of(filled.ask(path, asked), asked.kind, target["refId"])


@pytest.mark.parametrize(("path", "panel"), TABLES)
def test_empty_cell_of_a_table_is_empty_or_zero(
    filled: Filled, path: Path, panel: dict[str, Any]
) -> None:
    """The sentence of the empty panel is no value of a cell."""
    table = laid_out(panel, frames(filled, path, panel))
    texts = [
        cell_text(panel, column, None)
        for row in table.rows
        for column in table.columns
        if row.get(column) is None
    ]
    assert {text.strip() for text in texts} <= {"", "0"}
    assert cell_text(panel, "any column", None).strip() in {"", "0"}


def test_tables_have_empty_cells(filled: Filled) -> None:
    """So that the test above sees what it is about."""
    empty = set()
    for case in TABLES:
        path, panel = case.values
        table = laid_out(panel, frames(filled, path, panel))
        if any(row.get(column) is None for row in table.rows for column in table.columns):
            empty.add(panel["title"])
    assert {"Services", "Top talkers", "Tasks by outcome"} <= empty


@pytest.mark.parametrize(("path", "panel"), TABLES)
def test_columns_of_a_table_fit_beside_each_other(
    filled: Filled, path: Path, panel: dict[str, Any]
) -> None:
    """On a laptop none is cut off."""
    table = laid_out(panel, frames(filled, path, panel))
    assert sum(column_px(panel, column) for column in table.columns) <= panel_px(panel)


@pytest.mark.parametrize(("path", "panel"), TABLES)
def test_columns_of_a_table_have_the_names_of_people(
    filled: Filled, path: Path, panel: dict[str, Any]
) -> None:
    """Each column is one that the panel names, in that order; those of tasks are their ends."""
    table = laid_out(panel, frames(filled, path, panel))
    named = [
        override["matcher"]["options"]
        for override in panel["fieldConfig"]["overrides"]
        if override["properties"][0]["id"] == "displayName"
    ]
    actions = [one for one in table.columns if one in fields.TASK_ACTIONS]
    assert not table.rows or table.columns == [*named, *actions]


@pytest.mark.parametrize(("path", "target"), LOGS)
def test_lines_are_readable(filled: Filled, path: Path, target: Target) -> None:
    """Service, message and exception in one line, and all fields beside it."""
    for entry in filled.ask(path, target):
        held = {**entry.labels, **entry.metadata, **entry.parsed}
        service = held[fields.LABEL_SERVICE]
        assert entry.line.startswith(f"{service}  ")
        assert "\n" not in entry.line
        if fields.MESSAGE in held:
            assert held[fields.MESSAGE][:50].replace("\n", " ") in entry.line
            assert "{" not in entry.line.removeprefix(f"{service}  ")[:1]
        if fields.EXC_TYPE in held:
            assert f" | {held[fields.EXC_TYPE]}: " in entry.line
        if fields.STACKTRACE in held:
            assert "Traceback" in held[fields.STACKTRACE]
        assert not [name for name in held if name.startswith("__error")]
        assert f"{fields.REQUEST_ID}_extracted" not in held


def test_new_exceptions_are_those_that_were_not_there_before(filled: Filled) -> None:
    """Of a service that wrote before: what it logged then is not new, and a new service is none."""
    (path,) = [one for one in DASHBOARDS if one.stem == "services"]
    (target,) = [one for one in targets(path) if one.panel == "New exception types"]
    known = {"level": "error", fields.EXC_TYPE: "KnownError", fields.MESSAGE: "again"}
    labels = {fields.LABEL_SERVICE: "older", fields.LABEL_ENV: ENV}
    now_ns = time.time_ns()
    lines = [
        (now_ns - EARLIER_S * 10**9, orjson.dumps(known).decode()),
        (now_ns, orjson.dumps(known).decode()),
        (now_ns, orjson.dumps({**known, fields.EXC_TYPE: "NewError"}).decode()),
    ]
    push(filled.loki_url, labels, lines)
    push(filled.loki_url, {**labels, fields.LABEL_SERVICE: "young"}, lines[1:])
    chosen = Chosen({"service": ["older", "young"]}, range_s=RANGE_S)
    found = chosen.ask(filled.loki, target, path, now_ns + 10**9)
    assert [(one.labels["service_name"], one.labels["exc_type"]) for one in found] == [
        ("older", "NewError")
    ]


def test_breaches_are_counted_as_the_rules_do(filled: Filled) -> None:
    """The tile has the number that the rules' own queries and thresholds have at that moment."""
    (path,) = [one for one in DASHBOARDS if one.stem == "services"]
    now, before = [one for one in targets(path) if one.panel == "Over a threshold"]
    counted = {"error-ratio", "any-critical", "slow-requests", "task-failed"}
    counted |= {"service-silent", "unparsed-lines"}
    asked = [one for one in provisioned_rules() if one.uid in counted]
    for target, time_ns in ((now, filled.end_ns), (before, filled.end_ns - RANGE_S * 10**9)):
        (found,) = filled.ask(path, target)
        over = [one for one in breaches(filled.loki, asked, time_ns) if one.value is not None]
        assert float(found.value) == len(over), over
    assert breaches(filled.loki, asked, filled.end_ns)


def test_error_ratio_is_steady(filled: Filled) -> None:
    """No point where there are few lines, and 0 where none of many is an error."""
    (path,) = [one for one in DASHBOARDS if one.stem == "service"]
    (target,) = [one for one in targets(path) if one.panel == "Error ratio"]
    now_ns = time.time_ns() // (60 * 10**9) * 60 * 10**9
    counts = {"few": (1, 1), "well": (20, 0), "ill": (20, 5)}
    for service, (whole, bad) in counts.items():
        lines = [
            (
                now_ns - 10**9 - number,
                f'{{"level":"{"error" if number < bad else "info"}","n":{number}}}',
            )
            for number in range(whole)
        ]
        push(filled.loki_url, {fields.LABEL_SERVICE: service, fields.LABEL_ENV: ENV}, lines[::-1])
    chosen = Chosen({"service": [*counts]}, range_s=RANGE_S, step_s=60)
    found = chosen.ask(filled.loki, target, path, now_ns)
    assert {one.labels["service_name"]: float(one.value) for one in found} == {
        "well": 0,
        "ill": 0.25,
    }


def variable(path: Path, name: str) -> dict[str, Any]:
    """A variable of a dashboard."""
    (found,) = [one for one in load(path)["templating"]["list"] if one["name"] == name]
    return dict(found)


@pytest.mark.parametrize("service", HAVE)
def test_one_service_has_what_it_wrote(filled: Filled, service: str) -> None:
    """The dashboard of a service is filled where that service wrote something."""
    (path,) = [one for one in DASHBOARDS if one.stem == "service"]
    filled_panels = {
        target.panel for target in targets(path) if filled.ask(path, target, service=service)
    }
    assert filled_panels >= HAVE[service] | ALWAYS


def test_choices_narrow(filled: Filled) -> None:
    """Service, level and text leave out what does not fit."""
    (path,) = [one for one in DASHBOARDS if one.stem == "service"]
    (lines,) = [one for one in targets(path) if one.panel == "Lines"]
    chosen = {"service": "shop", "env": ENV, "detected_level": "warn", "search": "refused"}
    found = filled.ask(path, lines, **chosen)
    assert found
    for entry in found:
        assert entry.labels[fields.LABEL_SERVICE] == "shop"
        assert entry.metadata[fields.DETECTED_LEVEL] == "warn"
        assert "refused" in entry.line
    assert not filled.ask(path, lines, **{**chosen, "env": "nowhere"})


def test_a_request_is_followed_over_services(filled: Filled) -> None:
    """*Request* has the lines of one id from the customer and from the shop, in order."""
    (path,) = [one for one in DASHBOARDS if one.stem == "request"]
    (lines,) = [one for one in targets(path) if one.panel == "Lines in order"]
    found = filled.ask(path, lines)
    assert {one.labels[fields.LABEL_SERVICE] for one in found} == {"shop", "traffic"}
    assert {one.metadata[fields.REQUEST_ID] for one in found} == {filled.request_id}
    assert not filled.ask(path, lines, id="none")


def test_thousands_of_runs_are_counted(filled: Filled) -> None:
    """The runs of a busy hour are no more than Loki joins by their ids."""
    step = {fields.TASK_NAME: "busy", fields.ACTION: "run"}
    begun = [orjson.dumps({**step, fields.TASK_ID: str(n)}).decode() for n in range(5000)]
    ended = [line.replace('"run"', '"success"') for line in begun[:-1]]
    labels = {fields.LABEL_SERVICE: "busy", fields.LABEL_ENV: "busy"}
    start_ns = time.time_ns()
    push(filled.loki_url, labels, [(start_ns + n, line) for n, line in enumerate(begun + ended)])
    (path,) = [one for one in DASHBOARDS if one.stem == "tasks"]
    (running,) = [one for one in targets(path) if one.panel == "Running now"]
    chosen = Chosen({"service": "busy"})
    (found,) = chosen.ask(filled.loki, running, path, time.time_ns())
    assert found.value == "1"
