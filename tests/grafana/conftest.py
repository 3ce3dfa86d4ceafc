"""A real Grafana, a real Loki, and sinks that its alerts reach."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.grafana.running import start_grafana
from tests.grafana.sinks import MailSink, WebhookSink
from tests.stack.asking import push
from tests.stack.conftest import engine, loki_program, loki_url, make_loki
from tests.stack.demo import ONE_ROUND_OF_TASKS, Programs

from lokikit import fields
from lokikit.stack.native.grafana import find_grafana

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.grafana.running import RunningGrafana

__all__ = ["engine", "loki_program", "loki_url", "make_loki"]

MAIL_TO = "ops@example.com"
ENV = "demo"
_REQUESTS = 100
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True)
class Watched:
    """A stack whose lines a Grafana watches.

    Args:
        grafana: it.
        loki_url: its Loki.
        mail: where its mails arrive.
        webhook: where its calls arrive.
    """

    grafana: RunningGrafana
    loki_url: str
    mail: MailSink
    webhook: WebhookSink

    def write(self, service: str, *lines: str) -> None:
        """Have a service write these lines now."""
        labels = {fields.LABEL_SERVICE: service, fields.LABEL_ENV: ENV}
        now_ns = time.time_ns()
        rows = [(now_ns + number, line) for number, line in enumerate(lines)]
        push(self.loki_url, labels, rows)


@pytest.fixture(scope="session")
def watched(loki_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Grafana with the kit's dashboards and rules, over what the demo wrote."""
    program = find_grafana()
    if program is None:
        pytest.skip("GRAFANA IS NOT TESTED: no grafana 11 or newer on PATH")
    programs = Programs(loki_url, ENV, _REQUESTS, ONE_ROUND_OF_TASKS)
    try:
        programs.run()
    finally:
        programs.deliver()
    mail, webhook = MailSink(), WebhookSink()
    contacts = {
        "ALERT_MAIL_TO": MAIL_TO,
        "ALERT_SMTP_HOST": mail.address,
        "ALERT_WEBHOOK_URL": webhook.url,
    }
    grafana = start_grafana(program, tmp_path_factory.mktemp("grafana"), loki_url, contacts)
    try:
        yield Watched(grafana, loki_url, mail, webhook)
    finally:
        grafana.stop()
        mail.close()
        webhook.close()


@pytest.fixture(scope="session")
def browser() -> str:
    """A Chromium on PATH."""
    for name in _BROWSERS:
        if found := shutil.which(name):
            return found
    pytest.skip("NO SCREENSHOTS OF THE DASHBOARDS: no chromium on PATH")
