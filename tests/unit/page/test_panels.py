from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lokikit.errors import SettingsError
from lokikit.page.choice import Choice
from lokikit.page.dashboards import ORDER, ask_panel, dashboards, outline
from lokikit.page.panels import PanelQueries, graph, logs, stat, table
from lokikit.query.readable_logql import readable
from lokikit.query.results import LogEntry, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

S = 10**9
HOUR = Choice(0, 3600 * S)


class FakeLoki:
    """Answers every query alike, and remembers them."""

    def __init__(self, *samples: Sample) -> None:
        self.samples = list(samples)
        self.asked: list[Any] = []

    def instant(self, query: str, _at: int) -> list[Sample]:
        """The samples."""
        self.asked.append(query)
        return self.samples

    def range_samples(self, query: str, start: int, _end: int, step_s: float) -> list[Sample]:
        """The samples, at the first moment."""
        self.asked.append((query, step_s))
        return [Sample(one.labels, start, one.value) for one in self.samples]

    def query_range(self, *asked: Any) -> Iterator[LogEntry]:
        """A line."""
        self.asked.append(asked)
        yield LogEntry(5, "x", {"service_name": "s"}, {})


def queries(loki: FakeLoki, *panels: dict[str, Any]) -> PanelQueries:
    """The fake, and other panels of the dashboard by their number."""
    return PanelQueries(loki, HOUR, lambda number: panels[number])  # type: ignore[arg-type]


def target(kind: str = "instant", ref: str = "A", **more: Any) -> dict[str, Any]:
    """A query of a panel."""
    return {"expr": "q [$__auto]", "queryType": kind, "refId": ref, **more}


def override(kind: str, name: str, **properties: Any) -> dict[str, Any]:
    """What a panel says of one column or series; `_` in a name stands for `.`."""
    held = [{"id": key.replace("_", "."), "value": one} for key, one in properties.items()]
    return {"matcher": {"id": kind, "options": name}, "properties": held}


def panel(*targets: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A panel with these queries."""
    config = {"defaults": more.pop("defaults", {}), "overrides": more.pop("overrides", [])}
    return {"targets": list(targets), "fieldConfig": config, "options": {}, **more}


def test_the_dashboards_stand_in_the_order_of_grafana() -> None:
    assert [one["uid"] for one in outline()] == [f"lokikit-{name}" for name in ORDER]


def test_a_graph_has_the_step_and_the_points_of_its_file() -> None:
    loki = FakeLoki(Sample({"a": "x"}, 0, "1"))
    one = panel(target("range", legendFormat="{{a}}"), interval="5m", maxDataPoints=100)
    made = graph(queries(loki), one)
    assert loki.asked == [("q [300s]", 300)]
    assert made["series"][0]["name"] == "x"
    assert (made["step"], made["unit"], made["bars"]) == (300, "short", False)


@pytest.mark.parametrize(
    ("kind", "name", "colour"),
    [("byName", "500", "red"), ("byRegexp", "/^5/", "red"), ("byName", "5", "")],
    ids=["name", "pattern", "other"],
)
def test_a_series_has_the_colour_that_its_panel_fixes(kind: str, name: str, colour: str) -> None:
    fixed = override(kind, name, color={"fixedColor": "red"})
    one = panel(target("range", legendFormat="{{s}}"), overrides=[fixed])
    made = graph(queries(FakeLoki(Sample({"s": "500"}, 0, "1"))), one)
    assert made["series"][0]["colour"] == colour


STEPS = [{"color": "green", "value": None}, {"color": "red", "value": 10}]


@pytest.mark.parametrize(("value", "colour"), [("9", "green"), ("10", "red")], ids=["9", "10"])
def test_a_number_has_the_colour_of_the_limit_that_it_reaches(value: str, colour: str) -> None:
    one = panel(
        target(),
        defaults={
            "thresholds": {"steps": STEPS},
            "mappings": [{"type": "value", "options": {"10": {"text": "full"}}}],
        },
        options={"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name"},
        overrides=[override("byFrameRefID", "A", displayName="now")],
    )
    made = stat(queries(FakeLoki(Sample({}, 0, value))), one)
    (number,) = made["numbers"]
    assert number["colour"] == colour
    assert number["text"] == ("full" if value == "10" else "")
    assert (number["name"], made["named"]) == ("now", True)


def test_a_number_without_data_is_none() -> None:
    one = panel(target(), options={"reduceOptions": {"calcs": ["lastNotNull"]}})
    assert stat(queries(FakeLoki()), one)["numbers"] == []


def test_a_table_names_its_columns_sorts_and_links() -> None:
    loki = FakeLoki(Sample({"s": "a"}, 0, "1"), Sample({"s": "b"}, 0, "3"))
    url = "/d/x?var-service=${__data.fields.s}&${__url_time_range}"
    one = panel(
        target(),
        overrides=[
            override("byName", "s", displayName="Service", links=[{"url": url}]),
            override("byName", "Value #A", displayName="Lines", unit="short"),
        ],
        options={"sortBy": [{"displayName": "Lines", "desc": True}]},
    )
    made = table(queries(loki), one)
    assert [column["title"] for column in made["columns"]] == ["Service", "Lines"]
    linked = [{"value": name, "link": f"/d/x?var-service={name}"} for name in ("b", "a")]
    assert made["rows"] == [[linked[0], 3.0], [linked[1], 1.0]]


def test_a_table_takes_the_answers_of_another_panel() -> None:
    loki = FakeLoki(Sample({"s": "a"}, 0, "4"))
    one = panel({"panelId": 0, "refId": "A"})
    made = table(queries(loki, panel(target("range"))), one)
    assert "a" in made["rows"][0]
    assert len(loki.asked) == 1


@pytest.mark.parametrize("draw", [logs, table], ids=["logs", "table"])
def test_lines_are_asked_for_without_what_makes_words_of_them(draw: Any) -> None:
    loki = FakeLoki()
    expr = readable('{service_name=~"$service"}')
    made = draw(queries(loki), panel(target("range", maxLines=50) | {"expr": expr}))
    assert loki.asked == [('{service_name=~".+"}', 0, 3600 * S, 50, "backward")]
    assert made["kind"] == "logs"
    assert made["rows"][0]["message"] == "x"


def test_a_panel_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SettingsError, match="no panel 999"):
        ask_panel(FakeLoki(), next(iter(dashboards())), 999, HOUR)  # type: ignore[arg-type]


@pytest.mark.parametrize("uid", dashboards())
def test_every_panel_is_answered(uid: str) -> None:
    loki = FakeLoki(Sample({"service_name": "s"}, 0, "1"))
    for one in dashboards()[uid]["panels"]:
        assert ask_panel(loki, uid, one["id"], HOUR)["empty"]  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["{", '{"title": "Mine"}', "[]"], ids=["cut", "no uid", "a list"])
def test_a_file_of_the_kit_that_holds_no_dashboard_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The page showed `JSONDecodeError` without the file."""
    (tmp_path / ".env").touch()
    file = tmp_path / "grafana/dashboards/mine.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    monkeypatch.setenv("LOKIKIT_KIT", str(tmp_path))
    with pytest.raises(SettingsError, match=r"mine\.json holds no dashboard .*: mend it"):
        dashboards.__wrapped__()
