"""What docs/http.md shows, taken from the page: curl, nginx, a browser's fetch."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from tests.stack.conftest import free_ports
from tests.stack.pushing import stored
from tests.waiting import eventually

from lokikit.stack.kit_files import kit_env, kit_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.agent.running import RunningAgent

    MakeAgent = Callable[..., RunningAgent]

PAGE = (kit_root() / "docs/http.md").read_text()
PASSWORD = "p'ss $word"  # noqa: S105 - of a proxy that lives for one test
ORIGIN = "https://shop.example"
EVENT = {"service": "shop-web", "level": "error", "message": "payment form failed"}
JSON = {"Content-Type": "application/json"}
MAX_BYTES = 8 * 1024 * 1024
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def blocks(language: str) -> list[str]:
    """The blocks of the page in `language`."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def block(language: str, mark: str) -> str:
    """The one block that contains `mark`."""
    found = [one for one in blocks(language) if mark in one]
    assert len(found) == 1, (language, mark)
    return found[0]


def optional(program: str, untested: str) -> str:
    """The path of a program that the machine may lack."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:{_SBIN}")
    if found is None:
        pytest.skip(f"{untested}: no {program} on PATH")
    return found


@dataclass(frozen=True)
class Reader:
    """Somebody who types what the page shows, with ports, files and services of the test's.

    Args:
        words: what stands in the page -> what is typed.
        home: of curl, which prints the code of each answer in its last line.
        loki_url: the Loki that `lokikit` asks.
    """

    words: dict[str, str]
    home: Path
    loki_url: str

    def put(self, text: str) -> str:
        """The page's text for this machine."""
        for word, own in self.words.items():
            text = text.replace(word, own)
        return text

    def run(self, *command: str) -> str:
        """What a command says; it must succeed."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        variables = {"CURL_HOME": str(self.home), "LOKI_URL": self.loki_url, "PASSWORD": PASSWORD}
        return subprocess.run(
            command,
            env={**os.environ, **variables, "PATH": path},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def type(self, script: str) -> str:
        """What a block of shell commands says."""
        return self.run("sh", "-euc", self.put(script))

    def lines(self, service: str) -> list[str]:
        """The lines of a service of the page in Loki."""
        return [one.line for one in stored(self.loki_url, self.words[service])]


@pytest.fixture
def agent(make_agent: MakeAgent, loki_url: str) -> RunningAgent:
    """A running agent."""
    return make_agent(loki_url).start()


@pytest.fixture
def reader(agent: RunningAgent, loki_url: str, tmp_path: Path) -> Reader:
    """A reader beside the agent, who has a port free for the proxy."""
    optional("curl", "THE COMMANDS OF docs/http.md ARE NOT TESTED")
    (tmp_path / ".curlrc").write_text('silent\nwrite-out = "\\n%{http_code}"\n')
    words = {name: f"{name}-{uuid.uuid4().hex[:12]}" for name in ("billing", "shop-web")}
    words["127.0.0.1:9880"] = f"127.0.0.1:{agent.ports['FLUENTBIT_HTTP_PORT']}"
    words["8080"] = str(free_ports(1)[0])
    words["/etc/nginx/"] = f"{tmp_path}/"
    return Reader(words, tmp_path, loki_url)


@pytest.fixture
def proxy(reader: Reader, tmp_path: Path) -> Iterator[str]:
    """The URL of `/logs` on a real nginx with the page's configuration and password file."""
    program = optional("nginx", "THE REVERSE PROXY OF docs/http.md IS NOT TESTED")
    optional("openssl", "THE REVERSE PROXY OF docs/http.md IS NOT TESTED")
    reader.type(block("sh", "openssl passwd"))
    (tmp_path / "logs.conf").write_text(reader.put(block("nginx", "proxy_pass")))
    user = "user root;" if os.geteuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    (tmp_path / "nginx.conf").write_text(
        f"{user} daemon off; pid {tmp_path}/nginx.pid; events {{}}\n"
        f"http {{ access_log off; {folders} include {tmp_path}/logs.conf; }}\n"
    )
    command = [program, "-p", str(tmp_path), "-c", "nginx.conf", "-e", f"{tmp_path}/nginx.log"]
    process = subprocess.Popen(command)
    url = reader.put("http://127.0.0.1:8080/logs")
    try:
        eventually(lambda: process.poll() is not None or _listens(url))
        assert process.poll() is None, (tmp_path / "nginx.log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _listens(url: str) -> bool:
    try:
        requests.options(url, timeout=5)
    except requests.ConnectionError:
        return False
    return True


def test_ports_are_those_of_the_settings() -> None:
    """The page names the port of `.env`, and no other but the proxy's."""
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", PAGE)) == {
        kit_env({})["FLUENTBIT_HTTP_PORT"],
        "8080",
    }


def test_every_block_is_tried(reader: Reader, proxy: str) -> None:
    """Each command of the page works as it stands, and what it sends is in Loki."""
    del proxy
    for command in blocks("sh"):
        result = reader.type(command)
        if "OPTIONS" in command:
            assert result.endswith("\n204")
        elif "curl" in command:
            assert result.endswith("\n201"), command
    messages = {"invoice 17 sent", "run started", "run failed", "paid"}
    eventually(
        lambda: {json.loads(line)["message"] for line in reader.lines("billing")} == messages
    )
    asked = reader.type(block("sh", "lokikit query"))
    assert all(message in asked for message in messages)
    assert [json.loads(line)["message"] for line in reader.lines("billing")].count("paid") == 2
    (line,) = eventually(lambda: reader.lines("shop-web"))
    assert json.loads(line) == {**EVENT, "service": reader.words["shop-web"]}


def test_a_browser_sends(reader: Reader, proxy: str) -> None:
    """The page's `fetch` gets through the proxy into Loki."""
    del proxy
    node = optional("node", "THE fetch OF docs/http.md IS NOT TESTED")
    script = f"const password = process.env.PASSWORD;\n{block('js', 'fetch')}"
    reader.run(node, "-e", reader.put(script))
    (line,) = eventually(lambda: reader.lines("shop-web"))
    assert json.loads(line).items() >= {**EVENT, "service": reader.words["shop-web"]}.items()


@pytest.mark.parametrize(
    ("data", "headers", "code"),
    [
        (b'{"message":"x"}', JSON, 201),
        (b'[{"message":"x"}]', JSON, 201),
        (b'[{"message":"x"},5]', JSON, 201),
        (b'{"message":', JSON, 400),
        (b'"text"', JSON, 400),
        (b"5", JSON, 400),
        (b"", JSON, 400),
        (b'{"message":"x"}', {"Content-Type": "text/plain"}, 400),
        (b'{"message":"%s"}' % (b"x" * MAX_BYTES), JSON, 413),
    ],
    ids=lambda value: str(value)[:20],
)
def test_answers(agent: RunningAgent, data: bytes, headers: dict[str, str], code: int) -> None:
    """The agent's answers are those of the page's table."""
    url = agent.logs_url
    assert requests.post(url, data, headers=headers, timeout=30).status_code == code
    assert f"\n| {code} |" in PAGE


def test_what_is_taken_survives_the_agent(make_agent: MakeAgent, loki_url: str) -> None:
    """201 while Loki is away, then a power cut: the event is in Loki afterwards."""
    service = f"cut-{uuid.uuid4().hex[:12]}"
    agent = make_agent("http://127.0.0.1:1").start()
    url = agent.logs_url
    assert requests.post(url, json={"service": service, "n": 1}, timeout=30).status_code == 201
    agent.kill()
    agent.variables["LOKI_PORT"] = loki_url.rpartition(":")[2]
    agent.start()
    (entry,) = eventually(lambda: list(stored(loki_url, service)), within_s=60)
    assert json.loads(entry.line) == {"service": service, "n": 1}


def test_equal_events_without_timestamps_become_one(agent: RunningAgent, loki_url: str) -> None:
    """Why the page tells to give each its own."""
    service = f"equal-{uuid.uuid4().hex[:12]}"
    url = agent.logs_url
    equal, other = {"service": service, "n": 1}, {"service": service, "n": 2}
    assert requests.post(url, json=[equal, equal, other], timeout=30).status_code == 201
    found = eventually(lambda: [json.loads(one.line)["n"] for one in stored(loki_url, service)])
    assert sorted(found) == [1, 2]


def test_a_preflight_needs_no_password(proxy: str) -> None:
    """A browser of a known origin may send, with a password and as JSON."""
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    answer = requests.options(proxy, headers=headers, timeout=30)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == "POST, OPTIONS"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"


def test_an_unknown_origin_is_not_let_in(proxy: str) -> None:
    """Its browser hears of no origin that may send."""
    answer = requests.options(proxy, headers={"Origin": "https://elsewhere.example"}, timeout=30)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_page_may_read_every_answer(proxy: str) -> None:
    """Also a refusal: without the header a script sees no code."""
    for auth, code in ((("shop", PASSWORD), 201), (("shop", "wrong"), 401)):
        answer = requests.post(proxy, json=EVENT, auth=auth, headers={"Origin": ORIGIN}, timeout=30)
        assert answer.status_code == code
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_refusals_of_the_proxy(agent: RunningAgent, proxy: str) -> None:
    """401 without a password, 405 to other methods, 404 elsewhere, 413, 502 without the agent."""
    auth = ("shop", PASSWORD)
    big = b" " * (MAX_BYTES + 1)
    assert requests.post(proxy, json=EVENT, timeout=30).status_code == 401
    assert requests.get(proxy, auth=auth, timeout=30).status_code == 405
    assert requests.post(proxy + "/x", json=EVENT, auth=auth, timeout=30).status_code == 404
    assert requests.post(proxy, big, auth=auth, headers=JSON, timeout=30).status_code == 413
    agent.stop()
    assert requests.post(proxy, json=EVENT, auth=auth, timeout=30).status_code == 502
