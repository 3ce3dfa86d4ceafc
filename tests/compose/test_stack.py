"""`make up` with Docker: its output, its services, and lines through it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests
import yaml
from tests.compose.stack import PIPELINE, SPEAKING, numbered, printed
from tests.waiting import eventually

from lokikit.errors import LokikitError
from lokikit.stack.docker.compose import compose_command
from lokikit.stack.grafana.password import password_file
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.compose.stack import DockerStack

FUTURE = """
import json, time
print(json.dumps({"timestamp": "2999-01-01T00:00:00Z", "message": "too early"}), flush=True)
time.sleep(3600)
"""


def started(stack: DockerStack) -> dict[str, tuple[str, str]]:
    """Service -> its container and when that was started, of all that stay up."""
    found = stack.containers()
    times = {name: (one.id, one.attrs["State"]["StartedAt"]) for name, one in found.items()}
    return {name: times[name] for name in PIPELINE + SPEAKING}


def test_says_where_everything_is(stack: DockerStack) -> None:
    """Up prints the reason for Docker, the address of each service, and Grafana's password."""
    assert "Runtime: docker (RUNTIME=docker)." in stack.output
    for key in ("LOKI_PORT", "FLUENTBIT_HTTP_PORT", "GRAFANA_PORT", "DEMO_PORT"):
        assert f"127.0.0.1:{stack.variables[key]}" in stack.output, key
    assert f"user admin, password {password_file(stack.state).read_text()} " in stack.output


def test_start_order(stack: DockerStack) -> None:
    """Storage, Loki, agent, services: each is started after what it needs."""
    found = stack.containers()
    times = [
        found[name].attrs["State"]["StartedAt"]
        for name in ("fluent-bit-storage", "fluent-bit", "shop")
    ]
    assert times == sorted(times)
    assert found["loki"].attrs["State"]["StartedAt"] < times[1]
    assert found["fluent-bit-storage"].attrs["State"]["ExitCode"] == 0


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

    eventually(lambda: health() == "healthy", within_s=120)


@pytest.mark.parametrize("service", ["fluent-bit-storage", *PIPELINE, *SPEAKING])
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
    restart = "no" if service == "fluent-bit-storage" else "unless-stopped"
    assert host["RestartPolicy"]["Name"] == restart
    bound = [one for group in (host["PortBindings"] or {}).values() for one in group]
    assert {one["HostIp"] for one in bound} <= {"127.0.0.1"}
    assert [one["Destination"] for one in container.attrs["Mounts"] if _is_writable_bind(one)] == []


def _is_writable_bind(mount: dict[str, object]) -> bool:
    return mount["Type"] == "bind" and bool(mount["RW"])


@pytest.mark.parametrize("service", PIPELINE)
def test_own_logs_rotate(stack: DockerStack, service: str) -> None:
    """What a part of the pipeline prints is capped, and does not go through the pipeline."""
    value = stack.container(service).attrs["HostConfig"]["LogConfig"]
    assert value["Type"] == "local"
    assert value["Config"] == {"max-size": "10m", "max-file": "3"}


def test_every_way_in(stack: DockerStack) -> None:
    """A marked line gets to Loki by push and by what Docker's driver speaks."""
    check = stack.run("check")
    assert check.returncode == 0, check.stdout + check.stderr
    assert [line.split()[:2] for line in check.stdout.splitlines()[1:]] == [
        ["push", "ok"],
        ["agent", "ok"],
    ]


def test_any_language_by_http(stack: DockerStack) -> None:
    """What is posted to the agent is in Loki under its service."""
    url = f"http://127.0.0.1:{stack.variables['FLUENTBIT_HTTP_PORT']}/logs"
    answer = requests.post(url, json={"service": "curl", "message": "hello"}, timeout=10)
    assert answer.status_code < 300, answer.text
    (line,) = eventually(lambda: list(stack.lines("curl")), within_s=120)
    assert json.loads(line)["message"] == "hello"


def test_wired_services(stack: DockerStack, tmp_path: Path) -> None:
    """The services of a user's own file log to Loki through the file that `wire` wrote."""
    image = stack.container("loki").image.tags[0]
    mine = tmp_path / "compose.yml"
    mine.write_text(f"services:\n  mine:\n    image: {image}\n    command: [-version]\n")
    wire = stack.run("wire", str(mine), "--write")
    assert wire.returncode == 0, wire.stderr
    files = ["-f", str(mine), "-f", str(tmp_path / "compose.lokikit.yml")]
    compose = [*compose_command(os.environ), *files]
    project = ["--project-name", f"{stack.project}-mine"]
    try:
        subprocess.run([*compose, *project, "up", "-d"], check=True, capture_output=True)
        eventually(lambda: any("version" in line for line in stack.lines("mine")), within_s=120)
    finally:
        subprocess.run([*compose, *project, "down"], check=True, capture_output=True)


def test_dead_letters(stack: DockerStack) -> None:
    """What Loki refuses is counted by status, and is listed and sent again by the spool service."""
    stack.application("future", FUTURE)
    eventually(lambda: "1 dead letters" in stack.run("status").stdout, within_s=120)
    listed = stack.compose("run", "--rm", "spool")
    assert "1 lines in 1 chunk that Loki refused." in listed.stdout, listed.stderr
    again = stack.compose("run", "--rm", "spool", "replay", "/storage", "--dead-letters")
    assert "0 entries delivered to http://loki:3100, 1 refused" in again.stdout, again.stderr
    assert "1 dead letters, the newest:" in stack.compose("run", "--rm", "spool").stdout


def test_container_starts_without_the_agent(stack: DockerStack) -> None:
    """An application starts and goes on while the agent is away; its lines arrive afterwards."""
    stack.container("fluent-bit").stop()
    application = stack.writer("without-agent", 1000)
    eventually(lambda: printed(application) == numbered(1000), within_s=120)
    application.reload()
    assert application.status == "running"
    assert stack.lines("without-agent") == {}
    stack.container("fluent-bit").start()
    stack.await_lines("without-agent", numbered(1000), within_s=120)


def test_restart(stack: DockerStack) -> None:
    """Each service restarts in turn, and each line that is printed arrives once, as printed."""
    for service in (*PIPELINE, *SPEAKING):
        before = stack.lines("traffic").total()
        stack.container(service).restart()
        eventually(lambda before=before: _all_are_caught_up(stack, before), within_s=120)
    eventually(lambda: stack.run("status").returncode == 0, within_s=120)
    with silence(stack):
        for name in SPEAKING:
            stack.await_lines(name, printed(stack.container(name)), within_s=120)


def _all_are_caught_up(stack: DockerStack, before: int) -> bool:
    try:
        goes_on = stack.lines("traffic").total() > before
        return goes_on and all(stack.caught_up(name) for name in SPEAKING)
    except LokikitError:
        return False  # Loki is the one that restarts


@contextmanager
def silence(stack: DockerStack) -> Iterator[None]:
    """Nothing is printed any more."""
    for name in ("traffic", "jobs", "shop", "canary"):
        stack.container(name).stop()
    try:
        yield
    finally:
        assert stack.run("up").returncode == 0


def test_killed(stack: DockerStack) -> None:
    """Status names who was killed and shows the last words; up mends it, and no line is missing."""
    stack.writer("killed-agent", 600, 0.01)
    eventually(lambda: stack.lines("killed-agent"), within_s=120)
    for name in ("fluent-bit", "traffic"):
        stack.container(name).kill()
        eventually(lambda name=name: stack.container(name).status == "exited")
    status = stack.run("status")
    assert status.returncode == 1
    dead = [line.split()[0] for line in status.stdout.splitlines() if "not running" in line]
    assert dead == ["fluent-bit", "traffic"]
    assert "docker logs" in status.stdout
    assert stack.run("up").returncode == 0
    eventually(lambda: not numbered(600) - stack.lines("killed-agent"), within_s=120)


def test_demo_goes_when_it_is_not_wanted(stack: DockerStack) -> None:
    """Up without the demo ends a demo that runs, and leaves the pipeline alone."""
    agent = stack.container("fluent-bit").id
    up = stack.run("up", DEMO="off")
    assert "Stopping the demo" in up.stdout, up.stderr
    assert set(stack.containers()) == {"canary", "fluent-bit-storage", *PIPELINE}
    assert stack.container("fluent-bit").id == agent


def test_container_files(stack: DockerStack) -> None:
    """With the overlay, lines of the json-file driver arrive, those before a quick end too."""
    root = stack.client.info()["DockerRootDir"]
    up = stack.run("up", COMPOSE_OVERLAYS="container-files", DOCKER_ROOT=root)
    assert up.returncode == 0, up.stdout + up.stderr
    traffic = stack.container("traffic")
    assert traffic.attrs["HostConfig"]["LogConfig"]["Type"] == "json-file"
    eventually(lambda: not printed(traffic) - stack.lines("traffic"), within_s=120)
    overlay = yaml.safe_load((kit_root() / "deploy/compose/container-files.yml").read_text())
    stack.writer("job", 3000, lives=False, logging=overlay["x-files"])
    stack.await_lines("job", numbered(3000))
