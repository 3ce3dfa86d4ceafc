"""`make up` with Docker: real containers, real lines, each part taken away and back."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
import requests
from tests.compose.stack import numbered, printed
from tests.waiting import eventually

from lokikit.docker.secret import password_file

if TYPE_CHECKING:
    from tests.compose.stack import DockerStack

PIPELINE = ["fluent-bit", "grafana", "loki"]
DEMO = ["jobs", "shop", "traffic"]
LINES = 3000
"""At the pause below they take half a minute: longer than any part is away."""
PAUSE_S = 0.01


def started(stack: DockerStack) -> dict[str, tuple[str, str]]:
    """Service -> its container and when that was started, of all that stay up."""
    found = stack.containers()
    return {
        name: (found[name].id, found[name].attrs["State"]["StartedAt"]) for name in PIPELINE + DEMO
    }


def test_says_where_everything_is(stack: DockerStack) -> None:
    """Up says why Docker, where each service is, and Grafana's password."""
    up = stack.run("up")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "Runtime: docker (RUNTIME=docker)." in up.stdout
    for key in ("LOKI_PORT", "FLUENTBIT_HTTP_PORT", "GRAFANA_PORT", "DEMO_PORT"):
        assert f"127.0.0.1:{stack.variables[key]}" in up.stdout, key
    assert f"user admin, password {password_file(stack.state).read_text()} " in up.stdout


def test_up_again_leaves_all_alone(stack: DockerStack) -> None:
    """A second up changes no container, and auto stays with the runtime that is up."""
    before = started(stack)
    up = stack.run("up", RUNTIME="auto")
    assert "Runtime: docker (it is up already)." in up.stdout, up.stderr
    assert started(stack) == before


def test_password_is_generated_and_kept_to_the_user(stack: DockerStack) -> None:
    """It is long, not `admin`, and behind a folder that only the user may enter."""
    file = password_file(stack.state)
    assert len(file.read_text()) >= 20
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    mounts = stack.container("grafana").attrs["Mounts"]
    assert str(file) in {one["Source"] for one in mounts}


def test_loki_asks_itself(stack: DockerStack) -> None:
    """Loki's own health check works in an image without a shell."""

    def health() -> str:
        return str(stack.container("loki").attrs["State"]["Health"]["Status"])

    eventually(lambda: health() == "healthy", within_s=60)


@pytest.mark.parametrize("service", [*PIPELINE, *DEMO])
def test_hardened(stack: DockerStack, service: str) -> None:
    """Each container has no root, no capability, no way to gain one, nothing to write its image."""
    container = stack.container(service)
    host, config = container.attrs["HostConfig"], container.attrs["Config"]
    assert config["User"].partition(":")[0] not in ("", "0", "root")
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    bound = [one for group in (host["PortBindings"] or {}).values() for one in group]
    assert {one["HostIp"] for one in bound} <= {"127.0.0.1"}
    assert [one["Destination"] for one in container.attrs["Mounts"] if _is_writable_bind(one)] == []


def _is_writable_bind(mount: dict[str, object]) -> bool:
    return mount["Type"] == "bind" and bool(mount["RW"])


@pytest.mark.parametrize("service", PIPELINE)
def test_own_logs_rotate(stack: DockerStack, service: str) -> None:
    """What a part of the pipeline prints is capped, and does not go through the pipeline."""
    told = stack.container(service).attrs["HostConfig"]["LogConfig"]
    assert told["Type"] == "local"
    assert told["Config"] == {"max-size": "10m", "max-file": "3"}


def test_lines_arrive_as_they_were_printed(stack: DockerStack) -> None:
    """Every line that the demo printed until it was stopped is in Loki once, byte for byte."""
    for service in DEMO:
        eventually(lambda name=service: stack.lines(name), within_s=60)
    for service in ("traffic", "jobs", "shop"):
        stack.container(service).stop()
    try:
        for service in DEMO:
            stack.await_lines(service, printed(stack.container(service)))
    finally:
        stack.run("up")


@pytest.mark.parametrize("service", PIPELINE)
def test_restart(stack: DockerStack, service: str) -> None:
    """While one part of the pipeline restarts, no line of a running container is lost."""
    name = f"restart-{service}"
    stack.writer(name, LINES, PAUSE_S)
    eventually(lambda: stack.lines(name), within_s=60)
    stack.container(service).restart()
    stack.await_lines(name, numbered(LINES), within_s=120)
    assert stack.run("status").returncode == 0


@pytest.mark.parametrize("service", DEMO)
def test_restart_of_the_demo(stack: DockerStack, service: str) -> None:
    """A demo service that was restarted logs on."""
    stack.container(service).restart()
    before = sum(stack.lines(service).values())
    eventually(lambda: sum(stack.lines(service).values()) > before, within_s=60)


def test_killed_agent(stack: DockerStack) -> None:
    """After the agent was killed and started again, no line is missing."""
    stack.writer("killed-agent", LINES, PAUSE_S)
    eventually(lambda: stack.lines("killed-agent"), within_s=60)
    stack.container("fluent-bit").kill()
    eventually(lambda: stack.container("fluent-bit").status == "exited")
    assert stack.run("status").returncode == 1
    assert stack.run("up").returncode == 0
    eventually(lambda: not numbered(LINES) - stack.lines("killed-agent"), within_s=120)


def test_container_starts_without_the_agent(stack: DockerStack) -> None:
    """An application starts and goes on while the agent is away; its lines arrive afterwards."""
    stack.container("fluent-bit").stop()
    application = stack.writer("without-agent", 1000)
    eventually(lambda: printed(application) == numbered(1000))
    application.reload()
    assert application.status == "running"
    assert stack.lines("without-agent") == {}
    assert stack.run("up").returncode == 0
    stack.await_lines("without-agent", numbered(1000), within_s=120)


def test_any_language_by_http(stack: DockerStack) -> None:
    """What is posted to the agent is in Loki under its service."""
    url = f"http://127.0.0.1:{stack.variables['FLUENTBIT_HTTP_PORT']}/logs"
    answer = requests.post(url, json={"service": "curl", "message": "hello"}, timeout=10)
    assert answer.status_code < 300, answer.text
    (line,) = eventually(lambda: list(stack.lines("curl")))
    assert json.loads(line)["message"] == "hello"


def test_killed_application_is_told(stack: DockerStack) -> None:
    """Status names the part that is not running and shows what it printed last; up mends it."""
    stack.container("traffic").kill()
    eventually(lambda: stack.container("traffic").status == "exited")
    status = stack.run("status")
    assert status.returncode == 1
    dead = [line.split()[0] for line in status.stdout.splitlines() if "not running" in line]
    assert dead == ["traffic"]
    assert "docker logs" in status.stdout
    assert stack.run("up").returncode == 0
