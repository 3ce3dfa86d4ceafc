from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock
from tests.grafana.sinks import WebhookSink
from tests.mail_server import mail_server
from tests.ports import free_ports

from lokikit.alerts.state_file import (
    AlertState,
    RuleRecord,
    SentRecord,
    alerts_folder,
    alive_file,
    make_folder,
    write_state,
)
from lokikit.cli import app
from lokikit.monitoring.rule_states import Instance
from lokikit.stack.grafana.contacts import Contacts
from lokikit.stack.native.alerts import write_kit_contacts
from lokikit.stack.part_status import Wanted, write_wanted

if TYPE_CHECKING:
    from pathlib import Path

WEBHOOK = {"ALERT_WEBHOOK_URL": "http://127.0.0.1:1/"}


class Terminal:
    """Runs `lokikit alerts …` on a state folder of its own."""

    def __init__(self, state: Path, patch: pytest.MonkeyPatch, capture: Any) -> None:
        self.state, self.folder = state, alerts_folder(state)
        self._patch, self._capture = patch, capture
        patch.setenv("LOKIKIT_STATE", str(state))

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """The exit code, and all that was said."""
        for name, value in variables.items():
            self._patch.setenv(name, value)
        self._patch.setattr("sys.argv", ["lokikit", "alerts", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return int(ended.value.code or 0), "".join(self._capture.readouterr())

    def keep(self, state: AlertState) -> None:
        """The state of a `lokikit alerts` that runs."""
        make_folder(self.folder)
        write_state(self.folder, state)
        alive_file(self.folder).touch()


@pytest.fixture
def terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    return Terminal(tmp_path, monkeypatch, capsys)


def test_silence_is_made_listed_and_lifted(terminal: Terminal) -> None:
    code, output = terminal.run("silence", "error-ratio", "--service", "shop", "--for", "2h")
    assert code == 0
    assert output.startswith("Silence 1: error-ratio of shop until 20")
    assert terminal.run("silences")[1].startswith("1  error-ratio of shop until ")
    assert terminal.run("list") == terminal.run("silences")
    assert terminal.run("lift", "1")[1].startswith("Lifted: error-ratio of shop")
    assert terminal.run("silences") == (0, "No silence.\n")


def test_title_of_a_rule_is_its_uid(terminal: Terminal) -> None:
    assert "error-ratio of every service" in terminal.run("silence", "Many errors")[1]


def test_all_rules_are_silenced_at_once(terminal: Terminal) -> None:
    assert "all rules of every service" in terminal.run("silence", "all")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("silence", "error-rate"), "did you mean error-ratio?"),
        (("silence", "error-ratio", "--for", "soon"), "is no duration"),
        (("silence", "error-ratio", "--for", "0s"), "from 1s to a year"),
        (("silence", "error-ratio", "--for", "99w"), "from 1s to a year"),
        (("lift", "3"), "there is no silence 3: there is none."),
        (("lift", "one"), "lift --help"),
    ],
)
def test_slip_is_named(terminal: Terminal, arguments: tuple[str, ...], said: str) -> None:
    code, text = terminal.run(*arguments)
    assert code == 2
    assert said in text


def test_status_shows_state_value_and_silence(terminal: Terminal) -> None:
    now_ns = time.time_ns()
    shop = Instance({"service_name": "shop", "env": "dev"}, "firing", 0.5, now_ns)
    terminal.keep(AlertState(now_ns, rules={"error-ratio": RuleRecord(now_ns, "", [shop])}))
    terminal.run("silence", "error-ratio")
    code, output = terminal.run("status")
    assert code == 0
    first = output.splitlines()[1]
    assert re.match(r"error-ratio +shop dev +firing, silenced +20\S+Z +0\.5 +> 0\.05", first)


def test_status_says_which_messages_do_not_go_out(terminal: Terminal) -> None:
    record = SentRecord(failure="the mail server is away", failures=3)
    terminal.keep(AlertState(time.time_ns(), sent={"email": {"shop": record}}))
    assert "by email do not go out: the mail server is away" in terminal.run("status")[1]


def test_status_of_nothing_is_no_success(terminal: Terminal) -> None:
    code, output = terminal.run("status")
    assert code == 1
    assert "no rule was looked at" in output


def test_status_of_a_process_that_has_ended_is_no_success(terminal: Terminal) -> None:
    terminal.keep(AlertState(time.time_ns()))
    alive_file(terminal.folder).unlink()
    code, output = terminal.run("status")
    assert code == 1
    assert "does not run here" in output


def test_status_without_a_loki_is_no_success(terminal: Terminal) -> None:
    terminal.keep(AlertState(time.time_ns(), problem="Loki is away"))
    assert terminal.run("status")[0] == 1


def test_second_sender_does_not_start(terminal: Terminal) -> None:
    make_folder(terminal.folder)
    with FileLock(terminal.folder / "lock"):
        code, output = terminal.run(**WEBHOOK)
    assert code == 3
    assert "one sender at a time" in output


def test_folder_that_cannot_be_made_is_named(terminal: Terminal) -> None:
    terminal.folder.write_text("a file in its place")
    code, output = terminal.run(**WEBHOOK)
    assert code == 3
    assert f"cannot work in {terminal.folder}" in output


def test_sender_beside_a_grafana_does_not_start(terminal: Terminal) -> None:
    write_wanted(terminal.state, Wanted(demo=False, runtime="docker"))
    code, output = terminal.run(**WEBHOOK)
    assert code == 3
    assert "Grafana runs in this stack" in output


def test_trial_reaches_everybody(terminal: Terminal) -> None:
    with mail_server() as mailbox:
        mail = {"ALERT_MAIL_TO": "a@example.com", "ALERT_SMTP_HOST": mailbox.address}
        assert terminal.run("test", **mail) == (0, "email: sent\n")
    (arrived,) = mailbox.mails
    assert "Test message" in arrived["Subject"]
    assert "Nothing is wrong" in arrived.get_content()


def test_trial_that_does_not_arrive_is_no_success(terminal: Terminal) -> None:
    (port,) = free_ports(1)
    code, output = terminal.run("test", ALERT_WEBHOOK_URL=f"http://127.0.0.1:{port}/")
    assert code == 1
    assert "webhook: the webhook does not answer" in output


def test_trial_in_another_shell_reaches_the_receivers_of_the_stack(terminal: Terminal) -> None:
    """The variables of `ALERT_WEBHOOK_URL=… lokikit up` are gone when `alerts test` is typed."""
    sink = WebhookSink()
    try:
        write_kit_contacts(terminal.state, Contacts(webhook_url=sink.url))
        assert terminal.run("test") == (0, "webhook: sent\n")
    finally:
        sink.close()


def test_trial_without_anybody_says_what_to_set(terminal: Terminal) -> None:
    code, output = terminal.run("test")
    assert code == 1
    assert "ALERT_URLS" in output


def test_a_webhook_of_this_machine_is_asked_without_a_proxy(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    sink, proxy = WebhookSink(), "http://127.0.0.1:9"
    try:
        done = terminal.run("test", ALERT_WEBHOOK_URL=sink.url, HTTP_PROXY=proxy)
    finally:
        sink.close()
    assert done == (0, "webhook: sent\n")
