from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from tests.ports import free_ports
from tests.unit.alerts.messages import firing, resolved

from lokikit.alerts.apprise_way import AppriseWay
from lokikit.alerts.web import HttpWay, slack_body, webhook_body
from lokikit.errors import RefusedError, SettingsError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

of_apprise = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Server:
    """Keeps the JSON of each call, and answers with `status`."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.status = 200
        server = self

        class Call(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                server.bodies.append(
                    json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                )
                self.send_response(server.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "7")
                self.end_headers()
                self.wfile.write(b"no\nway!")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Call)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def webhook(url: str) -> HttpWay:
    return HttpWay("the webhook", url, webhook_body)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


def test_webhook_gets_the_fields_of_grafanas(server: Server) -> None:
    webhook(f"http://{server.address}/hook").send(firing())
    (body,) = server.bodies
    (alert,) = body["alerts"]
    assert body["status"] == alert["status"] == "firing"
    assert body["groupLabels"] == {"service_name": "shop"}
    assert body["title"] == "[FIRING:1] shop: Many errors"
    assert body["commonLabels"] == alert["labels"]
    assert alert["labels"]["rule"] == "error-ratio"
    assert alert["annotations"]["summary"] == "6% of the lines of shop are errors"
    assert alert["startsAt"] == "2027-01-15T08:00:00Z"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    assert alert["lines"] == ["shop  gone"]


def test_webhook_is_told_of_the_end() -> None:
    body = webhook_body(resolved())
    assert body["status"] == body["alerts"][0]["status"] == "resolved"
    assert body["state"] == "ok"


def test_slack_gets_text_that_can_mention_nobody(server: Server) -> None:
    HttpWay("Slack", f"http://{server.address}/", slack_body).send(
        firing(line="<!channel> & ``` <http://x|y>")
    )
    text = server.bodies[0]["text"]
    assert "&lt;!channel&gt; &amp; ''' &lt;http://x|y&gt;" in text
    assert text.count("```") == 2


def test_slack_message_is_no_longer_than_slack_takes(server: Server) -> None:
    long = firing()
    many = type(long)("shop", long.firing * 500, (), long.time_ns, long.lines)
    HttpWay("Slack", f"http://{server.address}/", slack_body).send(many)
    text = server.bodies[0]["text"]
    assert len(text) < 4100
    assert text.count("```") == 2


@pytest.mark.parametrize("status", [302, 404, 500])
def test_answer_that_is_no_success_is_a_refusal_without_the_url(
    server: Server, status: int
) -> None:
    server.status = status
    with pytest.raises(RefusedError, match=f"{status} no way!") as error:
        webhook(f"http://{server.address}/secret").send(firing())
    assert "secret" not in str(error.value)


def test_server_that_is_away_is_no_url_in_the_error() -> None:
    (port,) = free_ports(1)
    with pytest.raises(UnreachableError) as error:
        webhook(f"http://127.0.0.1:{port}/secret").send(firing())
    assert "secret" not in str(error.value)


@of_apprise
def test_address_of_apprise_is_notified(server: Server) -> None:
    AppriseWay(f"json://{server.address}/path").send(firing())
    (body,) = server.bodies
    assert body["title"] == "[FIRING:1] shop: Many errors"
    assert "shop  gone" in body["message"]
    assert body["type"] == "failure"


@of_apprise
def test_address_of_apprise_is_notified_of_the_end(server: Server) -> None:
    AppriseWay(f"json://{server.address}/path").send(resolved())
    assert server.bodies[0]["type"] == "success"


@of_apprise
def test_refusal_of_an_address_of_apprise_says_why(server: Server) -> None:
    server.status = 500
    with pytest.raises(RefusedError, match=r"json: .*500") as error:
        AppriseWay(f"json://user:secret@{server.address}/").send(firing())
    assert "secret" not in str(error.value)


@of_apprise
def test_address_that_apprise_does_not_know_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="nosuch://") as error:
        AppriseWay("nosuch://secret")
    assert "secret" not in str(error.value)
