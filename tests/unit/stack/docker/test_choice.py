"""Docker or native, with a `docker` on PATH that gives prepared answers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from lokikit.errors import PrerequisiteError
from lokikit.stack.compose_file import pulled_images
from lokikit.stack.docker.choice import RuntimeChoice, choose
from lokikit.stack.docker.compose import PLUGIN, compose_command
from lokikit.stack.docker.engine import daemon_problem

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def console() -> Console:
    """A console without output."""
    return Console(file=io.StringIO())


def docker(folder: Path, **answers: str) -> dict[str, str]:
    """An environment whose `docker` runs shell code chosen by its first argument."""
    cases = "\n".join(f"  {name}) {code} ;;" for name, code in answers.items())
    program = folder / "docker"
    program.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}\n  *) exit 0 ;;\nesac\n')
    program.chmod(0o755)
    return {"PATH": f"{folder}:/bin:/usr/bin"}


def working(folder: Path, **answers: str) -> dict[str, str]:
    """The same for a complete Docker, except for `answers`."""
    return docker(folder, **{"compose": "echo 2.40.3", **answers})


def test_docker_is_taken_where_it_can_be(tmp_path: Path, console: Console) -> None:
    """A daemon that answers, the images and Compose: that is Docker."""
    choice = choose("auto", None, console, working(tmp_path))
    assert choice == RuntimeChoice("docker", "its daemon answers and the images are here", PLUGIN)


def test_no_docker(console: Console) -> None:
    """The runtime is native, with the reason."""
    choice = choose("auto", None, console, {"PATH": ""})
    assert choice == RuntimeChoice("native", "docker is not on PATH: install it")


def test_no_daemon(tmp_path: Path, console: Console) -> None:
    """The runtime is native, and the reason has Docker's message."""
    environ = working(tmp_path, version="echo cannot connect >&2; exit 1")
    choice = choose("auto", None, console, environ)
    assert choice == RuntimeChoice("native", "no Docker daemon answers (cannot connect): start it")


def test_daemon_that_refuses_this_user(tmp_path: Path) -> None:
    """The error names the group of this user, not the daemon, as the thing to change."""
    environ = working(tmp_path, version="echo 'Permission denied' >&2; exit 1")
    assert "add this user to the group docker" in str(daemon_problem(environ))


def test_missing_images_are_pulled(tmp_path: Path, console: Console) -> None:
    """Each missing image is pulled by its name."""
    log = tmp_path / "pulled"
    environ = working(tmp_path, image="exit 1", pull=f'echo "$2" >> {log}')
    assert choose("auto", None, console, environ).runtime == "docker"
    assert log.read_text().split() == pulled_images(environ)


def test_images_that_cannot_be_pulled(tmp_path: Path, console: Console) -> None:
    """The runtime is native, and the reason names the image and the failure."""
    environ = working(tmp_path, image="exit 1", pull="echo no such host >&2; exit 1")
    choice = choose("auto", None, console, environ)
    assert choice.runtime == "native"
    assert f"{pulled_images(environ)[0]} is neither here nor" in choice.reason
    assert "(no such host): see to its version and REGISTRY in .env" in choice.reason


def test_forced(tmp_path: Path, console: Console) -> None:
    """The wanted runtime is chosen, or the error has the reason."""
    assert choose("native", None, console, working(tmp_path)) == RuntimeChoice(
        "native", "RUNTIME=native"
    )
    assert choose("docker", None, console, working(tmp_path)).reason == "RUNTIME=docker"
    with pytest.raises(PrerequisiteError, match="not on PATH: install it, or use RUNTIME=native"):
        choose("docker", None, console, {"PATH": ""})


@pytest.mark.parametrize("running", ["native", "docker"])
def test_auto_stays_with_what_is_up(tmp_path: Path, console: Console, running: str) -> None:
    """A stack that is up keeps its runtime until another one is asked for."""
    choice = choose("auto", running, console, working(tmp_path))
    assert (choice.runtime, choice.reason) == (running, "it is up already")


def test_stack_that_is_up_is_not_left_for_another(console: Console) -> None:
    """When the Docker of a stack that is up is gone, that is an error, no second stack."""
    with pytest.raises(PrerequisiteError, match="docker is not on PATH"):
        choose("auto", "docker", console, {"PATH": ""})


@pytest.mark.parametrize("answer", ["echo 2.40.3", "echo v5.7.0"])
def test_compose_is_taken_from_2_on(tmp_path: Path, answer: str) -> None:
    assert compose_command(docker(tmp_path, compose=answer)) == PLUGIN


@pytest.mark.parametrize("answer", ["echo 1.29.2", "exit 1"])
def test_missing_compose_names_the_package(tmp_path: Path, answer: str) -> None:
    with pytest.raises(PrerequisiteError, match=r"install docker-compose-plugin"):
        compose_command(docker(tmp_path, compose=answer))


def test_daemon_that_answers(tmp_path: Path) -> None:
    """No problem is `None`."""
    assert daemon_problem(working(tmp_path)) is None


def test_images_follow_the_settings() -> None:
    """Registry and versions come from the environment, then from `.env`."""
    mirror = {"REGISTRY": "mirror.example", "LOKI_VERSION": "9.9.9"}
    assert "mirror.example/grafana/loki:9.9.9" in pulled_images(mirror)
