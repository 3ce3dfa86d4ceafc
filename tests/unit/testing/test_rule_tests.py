from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lokikit.cli import app
from lokikit.errors import SettingsError
from lokikit.stack.kit_files import kit_root
from lokikit.testing import check_rules
from lokikit.testing.rule_tests import run_rule_tests

if TYPE_CHECKING:
    from pathlib import Path

RULES = """
groups:
  - name: shop
    rules:
      - alert: ManyErrors
        expr: sum by (app) (count_over_time({app=~".+"} | json | level="error" [5m])) > 2
        for: 2m
        labels: {severity: critical}
        annotations: {summary: "{{ $value }} errors of {{ $labels.app }}"}
      - alert: Broken
        expr: sum by (a) (count_over_time({app=~".+"} | json [5m]))
"""
ERRORS = {"every": "10s", "times": 60, "labels": {"app": "shop"}, "line": {"level": "error"}}
FIRING = {"at": "5m", "rule": "ManyErrors", "state": "firing", "labels": {"app": "shop"}}
KIT_TESTS = sorted((kit_root() / "grafana/rules_test").glob("*.yaml"))


def write(folder: Path, expect: list[Any], **more: Any) -> Path:
    """A file of one test, beside the rules it is about."""
    (folder / "rules.yaml").write_text(RULES)
    case = {"name": "errors", "lines": more.pop("lines", [ERRORS]), "expect": expect}
    path = folder / "rules_test.yaml"
    path.write_text(yaml.safe_dump({"rules": ["rules.yaml"], "tests": [case], **more}))
    return path


def failures(path: Path) -> str:
    """What the file's only test reports."""
    (result,) = run_rule_tests([path])
    return "\n".join(result.failures)


@pytest.mark.parametrize("path", KIT_TESTS, ids=lambda path: path.stem)
def test_rules_of_the_kit(path: Path) -> None:
    """Each rule on both sides of its threshold, with its waiting time and without data."""
    check_rules(path)


def test_each_rule_of_the_kit_has_a_test() -> None:
    text = (kit_root() / "grafana/provisioning/alerting/rules.yaml").read_text()
    uids = {rule["uid"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]}
    assert uids == {path.stem for path in KIT_TESTS} - {"no-data"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"at": "1m", "state": "pending"},
        {"at": "0s", "state": "inactive"},
        {"at": "5m59s"},
        {"value": 30},
        {"count": 1},
        {"labels": {"severity": "critical", "alertname": "ManyErrors"}},
        {"annotations": {"summary": "30 errors of shop"}},
        {"at": "30m", "state": "resolved"},
        {"labels": {"app": "cart"}, "state": "inactive"},
    ],
)
def test_met_expectation_passes(tmp_path: Path, change: dict[str, Any]) -> None:
    assert not failures(write(tmp_path, [{**FIRING, **change}]))


@pytest.mark.parametrize(
    "change",
    [
        {"state": "pending"},
        {"state": "inactive"},
        {"at": "1m"},
        {"value": 31},
        {"count": 2},
        {"labels": {"app": "cart"}},
        {"annotations": {"summary": "none"}},
        {"at": "30m"},
        {"state": "nodata"},
        {"state": "error"},
        {"state": "resolved"},
    ],
)
def test_unmet_expectation_fails(tmp_path: Path, change: dict[str, Any]) -> None:
    assert failures(write(tmp_path, [{**FIRING, **change}]))


def test_failure_shows_wanted_and_found(tmp_path: Path) -> None:
    path = write(tmp_path, [{**FIRING, "state": "pending", "value": 7}])
    assert failures(path).splitlines() == [
        "  line 5: at 5m, rule 'ManyErrors' (a breach is any series)",
        '    expected  pending    {app="shop"} value 7',
        '    got       firing     {app="shop"} value 30 since 3m',
    ]


def test_failure_without_series_says_so(tmp_path: Path) -> None:
    assert "got       no series" in failures(write(tmp_path, [FIRING], lines=[]))


def test_failing_query_is_an_error(tmp_path: Path) -> None:
    lines = [{"labels": {"app": "shop"}, "text": "no json"}]
    broken = {"at": "1m", "rule": "Broken", "state": "error"}
    assert not failures(write(tmp_path, [broken], lines=lines))
    broken["state"] = "firing"
    assert "the query failed: pipeline error" in failures(write(tmp_path, [broken], lines=lines))


def test_evaluation_interval_of_the_file_counts(tmp_path: Path) -> None:
    path = write(tmp_path, [{**FIRING, "at": "2m50s", "state": "pending"}])
    assert not failures(path)
    path = write(tmp_path, [{**FIRING, "at": "2m50s"}], evaluation_interval="10s")
    assert not failures(path)


def test_lines_before_the_start_count(tmp_path: Path) -> None:
    lines = [{**ERRORS, "at": "-1m"}]
    expect = [{**FIRING, "at": "0s", "state": "pending", "value": 7}]
    assert not failures(write(tmp_path, expect, lines=lines))


def test_number_of_the_repetition_stands_in_the_line(tmp_path: Path) -> None:
    lines = [{**ERRORS, "every": "1ms", "line": {"level": "error", "id": "run-$n"}}]
    assert not failures(write(tmp_path, [{**FIRING, "value": 60, "at": "3m"}], lines=lines))


def test_helper_raises_with_the_report(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"rules_test.yaml: errors\n  line 5: at 5m"):
        check_rules(write(tmp_path, [{**FIRING, "state": "pending"}]))


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: Path
) -> tuple[Any, str, str]:
    """Exit code and output of `lokikit rules test`."""
    monkeypatch.setattr("sys.argv", ["lokikit", "rules", "test", str(path)])
    with pytest.raises(SystemExit) as ended:
        app.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_command_that_passes_ends_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(monkeypatch, capsys, write(tmp_path, [FIRING]))
    assert found == (0, "1 test in 1 file passed.\n", "")


def test_command_that_fails_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, [{**FIRING, "state": "pending"}])
    code, out, err = run(monkeypatch, capsys, path)
    assert (code, err) == (1, "lokikit: 1 of 1 test in 1 file failed.\n")
    assert out.startswith(f"FAIL {path}: errors\n")


def test_command_names_each_problem_and_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, [{**FIRING, "rule": "ManyErors", "stat": "firing", "at": "soon"}])
    code, out, err = run(monkeypatch, capsys, path)
    assert (code, out) == (2, "")
    assert [line.removeprefix(f"lokikit: {path}:") for line in err.splitlines()] == [
        "5: tests[1], expect[1], at: 'soon' is no duration: use 90s, 30m, 1h, 2d, 1w or 1h30m.",
        (
            "8: tests[1], expect[1], rule: no rule of the files under `rules` is named "
            "'ManyErors', did you mean 'ManyErrors'."
        ),
        "9: tests[1], expect[1], stat: the key is unknown, did you mean state.",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a list", "the file is no mapping"),
        ("rules: [", "is no YAML"),
        ("tests: []", "rules: the key is missing or empty"),
        ("rules: [nowhere.yaml]\ntests: [{}]", "nowhere.yaml: No such file"),
        ("rules: [n*.yaml]\ntests: [{}]", "no file matches"),
        ("rules: []\nstart: today\ntests: [{}]", "'today' is no time"),
        ("rules: []\ntests: [{name: x, lines: [{text: a}], expect: []}]", "at least one label"),
        ("rules: []\ntests: [{name: x, lines: [{times: 2, text: a}], expect: []}]", "`every`"),
        ("rules: []\ntests: [{name: x, lines: [{times: 2}], expect: []}]", "either `line`"),
        ("rules: []\ntests: [{name: x, lines: [{line: a}], expect: []}]", "`text` for a line"),
        ("rules: []\ntests: [{name: x, lines: 5}]", "list of mappings"),
        ("rules: []\ntests: [{name: x, expect: [{count: -1}]}]", "no whole number"),
        ("rules: []\ntests: [{name: x, expect: [{value: x}]}]", "no number"),
        ("rules: []\ntests: [{name: x, expect: [{state: fired}]}]", "'fired' is unknown"),
        ("rules: []\nevaluation_interval: 0s\ntests: [{}]", "every 0s"),
        ("rules: []\ntests: [{name: x, lines: [{labels: {1a: b}, text: a}]}]", "'1a' is no name"),
        ("rules: []\ntests: [{name: x, lines: [{times: 1000001, text: a}]}]", "at most 1000000"),
        (
            "rules: []\nevaluation_interval: 1s\ntests: [{name: x, expect: [{at: 2d}]}]",
            "evaluated more than 100000 times",
        ),
    ],
)
def test_problem_is_a_sentence(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "rules_test.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=problem):
        list(run_rule_tests([path]))


def test_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rules_test.yaml"
    path.write_bytes(b"rules: \xff")
    with pytest.raises(SettingsError, match=r"rules_test\.yaml is no text in UTF-8"):
        list(run_rule_tests([path]))
