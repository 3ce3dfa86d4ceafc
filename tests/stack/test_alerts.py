"""Alerts without Grafana: each rule's whole way over the embedded store, with mail and webhook.

The histories are those of the rules' own tests, `grafana/rules_test`; the clock is set by the test.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.dashboards import GRAFANA, rules
from tests.grafana.sinks import WebhookSink
from tests.mail_server import mail_server
from tests.stack.asking import push
from tests.stack.engines import EMBEDDED, RunningStore
from tests.stack.test_up_down import Stack
from tests.waiting import eventually

from lokikit.alerts.clock import Clock
from lokikit.alerts.dispatch import Timing
from lokikit.alerts.silences import add_silence
from lokikit.alerts.state_file import alerts_folder, make_folder, read_state
from lokikit.alerts.watch import Watch
from lokikit.alerts.ways import ways_of
from lokikit.monitoring.alert_rules import provisioned_rules
from lokikit.monitoring.rule_files import parse_rules
from lokikit.query.client import Loki
from lokikit.stack.grafana.contacts import read_contacts
from lokikit.stack.native.grafana import find_grafana
from lokikit.testing.rule_cases import read_test_file
from lokikit.testing.rule_lines import case_rows
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.mail_server import Mailbox

    from lokikit.monitoring.rule_definition import Rule
    from lokikit.testing.rule_cases import Case, Expectation

DAY_NS = 86_400 * NS_PER_S
LONGEST = 400
"""Evaluations until a breach has to be over."""
MAIL_TO = "ops@example.com"
PAGE = "http://127.0.0.1:3300"


@cache
def histories() -> dict[str, tuple[Case, Expectation]]:
    """Of each rule the first history in which it fires, one that names its end before others."""
    named: dict[str, tuple[Case, Expectation]] = {}
    for path in sorted((GRAFANA / "rules_test").glob("*.yaml")):
        for case in sorted(read_test_file(path).cases, key=_names_no_end):
            for one in case.expectations:
                if one.state == "firing" and case.lines:
                    named.setdefault(one.rule.uid, (case, one))
    assert named.keys() == rules().keys()
    return named


def _names_no_end(case: Case) -> bool:
    return "resolved" not in [one.state for one in case.expectations]


class SetClock:
    """A clock that a test sets."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns, self.steady_ns = now_ns, 0
        self.clock = Clock(lambda: self.now_ns, lambda: self.steady_ns)

    def pass_(self, time_ns: int) -> None:
        """Let that time pass."""
        self.now_ns += time_ns
        self.steady_ns += time_ns


@dataclass
class Office:
    """Where alerts arrive, and what looks for them.

    Args:
        folder: of the state.
        loki: is asked.
        rule: the one that is looked at.
        mailbox: where mails arrive.
        webhook: where calls arrive.
        time: the clock.
    """

    folder: Path
    loki: Loki
    rule: Rule
    mailbox: Mailbox
    webhook: WebhookSink
    time: SetClock

    def watch(self) -> Watch:
        """A process that goes on from what the folder holds."""
        contacts = read_contacts(
            {
                "ALERT_MAIL_TO": MAIL_TO,
                "ALERT_SMTP_HOST": self.mailbox.address,
                "ALERT_WEBHOOK_URL": self.webhook.url,
            }
        )
        return Watch(
            [self.rule],
            self.loki,
            self.folder,
            ways_of(contacts),
            timing=Timing.of(contacts.repeat),
            page_url=PAGE,
            clock=self.time.clock,
        )

    def states(self, expected: Expectation) -> list[str]:
        """The states of the series that the expectation is about, as the file has them."""
        state = read_state(self.folder)
        assert state
        found = state.rules[self.rule.uid].instances
        wanted = expected.labels.items()
        return [one.state for one in found if wanted <= one.alert_labels(expected.rule).items()]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[str]:
    started = EMBEDDED.make(tmp_path, {}).start()
    yield started.url
    started.kill()


@pytest.fixture
def webhook() -> Iterator[WebhookSink]:
    sink = WebhookSink()
    yield sink
    sink.close()


@pytest.mark.parametrize("uid", [rule.uid for rule in provisioned_rules()])
def test_rule_goes_its_whole_way_over_a_restart(
    uid: str, store: str, webhook: WebhookSink, tmp_path: Path
) -> None:
    """Inactive, pending where it waits, firing, resolved: and both ways are told of both."""
    case, expected = histories()[uid]
    rule = expected.rule
    start_ns = (time_ns := time.time_ns() - 2 * DAY_NS) - time_ns % rule.interval_ns
    _write(store, case, start_ns)
    folder = tmp_path / "alerts"
    make_folder(folder)
    with mail_server() as mailbox, Loki(store, timeout_s=60) as loki:
        clock = SetClock(start_ns)
        office = Office(folder, loki, rule, mailbox, webhook, clock)
        path: list[str] = []
        watch = office.watch()
        for _ in range(LONGEST):
            watch.step()
            state = "".join(office.states(expected)[:1]) or "inactive"
            if path[-1:] != [state]:
                path.append(state)
                watch = office.watch()  # a restart just after each change
            clock.pass_(rule.interval_ns // 2)
            watch.step()
            clock.pass_(rule.interval_ns - rule.interval_ns // 2)
            if webhook.told(rule.labels["rule"], "resolved", **expected.labels):
                break
    waits = ["pending"] if rule.for_ns else []
    assert _without_first_inactive(path) == [*waits, "firing", "inactive"]
    assert webhook.told(rule.labels["rule"], "firing", **expected.labels)
    subjects = [mail["Subject"] for mail in mailbox.mails]
    assert any("FIRING" in one for one in subjects)
    assert any("RESOLVED" in one for one in subjects)
    assert all(rule.title in one for one in subjects)


def _without_first_inactive(path: list[str]) -> list[str]:
    return path[1:] if path[0] == "inactive" else path


def _write(url: str, case: Case, start_ns: int) -> None:
    by_labels: dict[tuple[tuple[str, str], ...], list[tuple[int, str]]] = {}
    for row in case_rows(case, start_ns):
        by_labels.setdefault(tuple(row.labels.items()), []).append((row.timestamp_ns, row.line))
    for labels, lines in by_labels.items():
        push(url, dict(labels), sorted(lines))


def test_firing_alert_outlives_a_store_that_goes_away(webhook: WebhookSink, tmp_path: Path) -> None:
    """The canary stops and the store dies: both are the same alarm, and the end is told."""
    rule = _rule("pipeline-silent")
    engine = RunningStore(tmp_path, {}).start()
    try:
        start_ns = (now_ns := time.time_ns()) - now_ns % rule.interval_ns - 3600 * NS_PER_S
        with mail_server() as mailbox, Loki(engine.url, timeout_s=2) as loki:
            clock = SetClock(start_ns)
            folder = tmp_path / "alerts"
            make_folder(folder)
            office = Office(folder, loki, rule, mailbox, webhook, clock)
            watch = office.watch()
            _canary_line(engine.url, start_ns)
            assert _pass(office, watch, 1) == {"inactive"}
            engine.kill()
            assert "pending" in _pass(office, watch, 1)
            assert "firing" in _pass(office, watch, 4)
            assert webhook.told("pipeline-silent", "firing")
            assert read_state(folder).problem
            engine.start()
            watch = office.watch()
            _canary_line(engine.url, clock.now_ns)
            assert "inactive" in _pass(office, watch, 7)
    finally:
        engine.kill()
    assert webhook.told("pipeline-silent", "resolved")
    assert "Loki cannot be asked" in mailbox.mails[0].get_content()


def test_message_has_the_newest_lines_of_its_service(
    store: str, webhook: WebhookSink, tmp_path: Path
) -> None:
    """Those that the rule counts, as people read them: and none of another service."""
    rule = _rule("any-critical")
    now_ns = time.time_ns()
    for service in ("shop", "jobs"):
        text = f'{{"level":"critical","message":"the disk of {service} is full"}}'
        info = '{"level":"info","message":"still here"}'
        labels = {"service_name": service, "env": "dev"}
        push(store, labels, [(now_ns - 2 * NS_PER_S, text), (now_ns - NS_PER_S, info)])
    folder = tmp_path / "alerts"
    make_folder(folder)
    add_silence(folder, rule.uid, "jobs", now_ns + DAY_NS, now_ns)
    with mail_server() as mailbox, Loki(store, timeout_s=60) as loki:
        office = Office(folder, loki, rule, mailbox, webhook, SetClock(now_ns))
        _pass(office, office.watch(), 1)
    (mail,) = mailbox.mails
    text = mail.get_content()
    assert "critical shop  the disk of shop is full" in text
    assert "jobs" not in text
    assert "still here" not in text
    assert f"{PAGE}/d/lokikit-service?var-service=shop" in text
    assert f"{PAGE}/runbook#any-critical" in text


def test_service_has_the_threshold_that_is_set_for_it(store: str, tmp_path: Path) -> None:
    """The rule for all leaves it out, and its own rule has its own numbers."""
    pytest.importorskip("grafana_foundation_sdk")
    from grafana.generator.provisioned import rule_groups  # noqa: PLC0415 - needs Python 3.11
    from grafana.generator.settings import FILE, read_settings  # noqa: PLC0415 - needs 3.11

    held = yaml.safe_load(FILE.read_text())
    held["rules"]["any-critical"]["services"] = {"shop": {"threshold": 5}}
    text = yaml.safe_dump(rule_groups(read_settings(yaml.safe_dump(held))))
    made = [one for one in parse_rules(text, "made") if one.labels["rule"] == "any-critical"]
    now_ns = time.time_ns()
    lines = [(now_ns - number, f'{{"level":"critical","n":{number}}}') for number in range(1, 4)]
    for service in ("shop", "jobs"):
        push(store, {"service_name": service, "env": "dev"}, lines[::-1])
    make_folder(tmp_path / "alerts")
    with Loki(store, timeout_s=60) as loki:
        clock = SetClock(now_ns).clock
        watch = Watch(made, loki, tmp_path / "alerts", {}, timing=Timing.of("4h"), clock=clock)
        watch.step()
    state = read_state(tmp_path / "alerts")
    assert state
    found = {
        (uid, one.labels["service_name"]): one.state
        for uid, record in state.rules.items()
        for one in record.instances
    }
    assert found == {
        ("any-critical", "jobs"): "firing",
        ("any-critical-shop", "shop"): "inactive",
    }


def _rule(uid: str) -> Rule:
    (found,) = [one for one in provisioned_rules() if one.uid == uid]
    return found


def _canary_line(url: str, time_ns: int) -> None:
    labels = {"service_name": "canary", "env": "dev"}
    push(url, labels, [(time_ns - NS_PER_S, '{"canary_seq":1}')])


def _pass(office: Office, watch: Watch, minutes: int) -> set[str]:
    """Let time pass, with two steps a minute; the states on the way."""
    found = set()
    for _ in range(2 * minutes + 1):
        watch.step()
        state = read_state(office.folder)
        assert state
        found |= {one.state for one in state.rules[office.rule.uid].instances}
        office.time.pass_(30 * NS_PER_S)
    return found


def test_up_runs_alerts_when_somebody_is_to_be_told(webhook: WebhookSink, tmp_path: Path) -> None:
    """A part of the native stack, from any shell; gone with the setting. Grafana tells itself.

    It goes on from what another process saw a minute ago, so its message needs no wait of its own.
    """
    stack = Stack(tmp_path / "state", EMBEDDED)
    try:
        without = stack.run("up", "--no-demo")
        assert without.returncode == 0, without.stdout + without.stderr
        assert "Nobody is told" in without.stdout
        assert "alerts" not in stack.pids()
        if find_grafana() is None:
            _see_a_critical_line(stack, time.time_ns() - 60 * NS_PER_S)
        up = stack.run("up", "--no-demo", ALERT_WEBHOOK_URL=webhook.url)
        assert up.returncode == 0, up.stdout + up.stderr
        with_grafana = find_grafana() is not None
        assert ("alerts" in stack.pids()) != with_grafana
        if with_grafana:
            return
        eventually(
            lambda: webhook.told("any-critical", "firing", service_name="doomed"), within_s=240
        )
        assert "any-critical" in stack.run("alerts", "status").stdout
        assert "alerts" in stack.run("status").stdout
        stack.run("up", "--no-demo")
        assert "alerts" not in stack.pids()
    finally:
        stack.run("down")


def _see_a_critical_line(stack: Stack, time_ns: int) -> None:
    """Have the rule fire at that time, in the stack's own state, with nobody to tell."""
    url = f"http://127.0.0.1:{stack.ports['LOKI_PORT']}"
    line = '{"level":"critical","message":"gone"}'
    push(url, {"service_name": "doomed", "env": "dev"}, [(time_ns - NS_PER_S, line)])
    make_folder(folder := alerts_folder(stack.state))
    with Loki(url, timeout_s=60) as loki:
        clock = SetClock(time_ns).clock
        rules, timing = [_rule("any-critical")], Timing.of("4h")
        Watch(rules, loki, folder, {}, timing=timing, clock=clock).step()
