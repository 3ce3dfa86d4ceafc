"""The screen of `lokikit top`, and its questions; tests/stack asks a real Loki."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.console import Console

from lokikit.cli.screen import Screen
from lokikit.cli.top import _span_name
from lokikit.errors import SettingsError
from lokikit.monitoring.alert_rules import Breach, Rule, provisioned_rules
from lokikit.monitoring.overview import Overview, ServiceOverview, covered_s, questions
from lokikit.monitoring.rule_files import parse_rules
from lokikit.query.logql import Selection
from lokikit.query.readable_logql import readable
from lokikit.query.results import LogEntry
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ROOF = Rule("error-ratio", "Many errors", "critical", "", "gt", 0.05, "OK")
FLOOR = Rule("silent", "Silent", "warning", "", "lt", 1, "Alerting")
COUNTS = (*range(29), 100)


def entry(number: int, **fields: str) -> LogEntry:
    """An error that is so many seconds old."""
    line = json.dumps({"message": f"order {number} failed", **fields})
    return LogEntry(1_790_000_000_000_000_000 - number * 10**9, line, {"service_name": "shop"}, {})


def overview(
    services: int = 2, errors: int = 3, first: Sequence[LogEntry] = (), name: str = "service"
) -> Overview:
    """An overview with so many rows."""
    return Overview(
        tuple(ServiceOverview((f"{name}-{n}", "dev"), COUNTS, 0.25, 90) for n in range(services)),
        (("jobs", "requests.exceptions.ConnectionError", 1234),),
        (*first, *(entry(number) for number in range(errors))),
    )


def shown(screen: Screen, width: int = 120, height: int = 60) -> list[str]:
    """The lines of the screen in a terminal of that size."""
    console = Console(
        width=width, height=height, force_terminal=False, highlight=False, markup=False
    )
    with console.capture() as capture:
        console.print(screen)
    return capture.get().splitlines()


def test_all_is_shown() -> None:
    """A service has its bars, its lines, its errors and when it was seen; so have the others."""
    breaches = [
        Breach(ROOF, {"env": "dev", "service_name": "jobs"}, 0.3333),
        Breach(FLOOR, {}, None),
    ]
    text = "\n".join(shown(Screen("last 15m", overview(), breaches, "2026-11-21T16:00:00Z")))
    assert "2026-11-21T16:00:00Z" in text
    row = next(line for line in text.splitlines() if line.startswith("service-0"))
    assert row.split()[-3:] == ["506", "25.0%", "<2m"]
    assert row.rstrip()[: row.index("506")].rstrip().endswith("█")
    assert [word in text for word in ("jobs dev", "0.3333 > 0.05", "no data")] == [True] * 3
    assert "requests.exceptions.ConnectionError  1,234" in text
    assert "order 2 failed" in text


def test_nothing_is_said_too() -> None:
    """Without data each part says so, and before the first answer that it waits."""
    text = "\n".join(shown(Screen("last 15m", Overview((), (), ()), [])))
    assert text.count("\n") >= 7
    for words in ("No rule is over", "No line came", "No exception was", "No error was"):
        assert words in text
    assert "waiting for the first answer" in shown(Screen("last 15m"))[0]


def test_problem_keeps_what_is_known() -> None:
    """Below the reason stands what was known before."""
    text = "\n".join(shown(Screen("last 15m", overview(), problem="no connection.")))
    assert "no connection." in text
    assert "service-0" in text


@pytest.mark.parametrize(("width", "height"), [(160, 50), (80, 24), (60, 15), (40, 10), (20, 5)])
def test_live_screen_fits(width: int, height: int) -> None:
    """However small the terminal, no line is too long and no row too many."""
    breaches = [Breach(ROOF, {"service_name": "jobs"}, 0.3)] * 30
    screen = Screen("last 15m", overview(40, 40), breaches, "2026-11-21T16:00:00Z", live=True)
    lines = shown(screen, width, height)
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width


def test_long_section_leaves_room() -> None:
    """Forty services do not push the newest errors off a screen of 24 lines."""
    text = "\n".join(shown(Screen("", overview(40, 40), [], live=True), 80, 24))
    for words in ("service-3", "ConnectionError", "order 1 failed"):
        assert words in text


def test_narrow_keeps_the_numbers() -> None:
    """Without room for the bars, names are cut and the numbers stay."""
    lines = shown(Screen("", overview(name="a-service-with-a-long-name"), []), 44)
    row = next(line for line in lines if line.startswith("a-service"))
    assert row.split()[1:] == ["506", "25.0%", "<2m"]
    assert "…" in row


def test_lines_do_not_steer_the_terminal() -> None:
    """Escape sequences in what was logged are shown as text; several lines become one."""
    nasty = entry(0, message="red \x1b[31m\x07 and\nmore")
    typed = entry(0, exc_type="ValueError", exc_message="no good")
    text = "\n".join(shown(Screen("", overview(first=(nasty, typed)), [])))
    assert "red \\x1b[31m\\x07 and more" in text
    assert "ValueError: no good" in text


def test_bars_without_unicode() -> None:
    """A terminal that knows ASCII alone gets bars of it."""
    plain = Console(width=120, force_terminal=False)
    options = plain.options.update()
    options.encoding = "ascii"
    parts = list(plain.render(Screen("", overview(), []), options))
    assert "".join(part.text for part in parts if "@" in part.text).isascii()
    assert any("@" in part.text for part in parts)


def test_queries_are_those_of_the_dashboard() -> None:
    """Each question is one of the dashboard *Services*, word for word."""
    board = json.loads((kit_root() / "grafana/dashboards/services.json").read_text())
    asked = {target.get("expr") for panel in board["panels"] for target in panel.get("targets", ())}
    place = Selection("$service", "$env")
    chosen = Selection("$service", "$env", "$detected_level", "${search:raw}")
    range_ = questions(place, "$__auto", "$__range")
    lines = questions(chosen, "$__auto", "$__range")
    for own in (lines.lines, range_.exceptions):
        assert own in asked, own
    assert readable(lines.errors) in asked


def test_rules_are_those_of_grafana() -> None:
    """Every rule of the kit is read, but those that are switched off."""
    text = (kit_root() / "grafana/provisioning/alerting/rules.yaml").read_text()
    rules = {rule.uid: rule for rule in provisioned_rules()}
    assert len(rules) == text.count("isPaused: false") > 5
    assert "any-error" not in rules
    assert rules["error-ratio"].is_breached(1)
    assert not rules["error-ratio"].is_breached(0)
    assert rules["pipeline-silent"].alarms_without_data
    assert rules["pipeline-silent"].is_breached(0)


@pytest.mark.parametrize(
    ("content", "problem"), [(b"groups: [", "is no YAML"), (b"\xff\xfe", "is no text in UTF-8")]
)
def test_a_broken_file_of_rules_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, problem: str
) -> None:
    folder = tmp_path / "grafana/provisioning/alerting"
    folder.mkdir(parents=True)
    (tmp_path / ".env").touch()
    (folder / "rules.yaml").write_bytes(content)
    monkeypatch.setenv("LOKIKIT_KIT", str(tmp_path))
    with pytest.raises(SettingsError, match=rf"alerting/rules\.yaml {problem}"):
        provisioned_rules()


def test_file_without_rules() -> None:
    """Other files of that folder have none."""
    assert list(parse_rules("apiVersion: 1\npolicies: []\n", "policies.yaml")) == []


@pytest.mark.parametrize(
    ("since", "since_s", "title"),
    [("15m", 900, "last 15m"), ("59s", 59, "last 60s"), ("10s", 10, "last 30s")],
)
def test_the_title_names_the_span_that_is_covered(since: str, since_s: int, title: str) -> None:
    """Counts stand in whole steps, so it may be more than was asked for, and is never less."""
    assert covered_s(since_s) >= since_s
    assert _span_name(since, since_s) == title


def test_what_was_logged_adds_no_row() -> None:
    """A service or the type of an exception with a line end stays in its row, markup is text."""
    names = "a\nb", "x\u2028[/red]y"
    result = Overview(
        (ServiceOverview((names[0], names[1]), COUNTS, 0.25, 90),),
        ((names[0], names[1], 1234),),
        (LogEntry(0, '{"message": "[/]m"}', {"service_name": names[0]}, {}),),
    )
    breaches = [Breach(ROOF, {"service_name": names[0], "env": names[1]}, 0.3)]
    usual = Overview(
        (ServiceOverview(("a", "x"), COUNTS, 0.25, 90),),
        (("a", "x", 1234),),
        (LogEntry(0, '{"message": "m"}', {"service_name": "a"}, {}),),
    )
    calm = [Breach(ROOF, {"service_name": "a", "env": "x"}, 0.3)]
    lines = shown(Screen("last 15m", result, breaches, "now"))
    assert len(lines) == len(shown(Screen("last 15m", usual, calm, "now")))
    assert sum(r"a\nb" in line for line in lines) == 4
    assert sum("[/red]" in line for line in lines) == 3
    assert any("[/]m" in line for line in lines)
