"""A Docker stack of the tests' own, driven by `lokikit` and looked at through Docker's SDK."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docker.errors import ImageNotFound
from tests.compose.images import CannotMakeImageError, stocked_docker
from tests.compose.stack import VERSION, DockerStack
from tests.tools.programs import programs_or_skip

from lokikit.errors import PrerequisiteError
from lokikit.stack.compose_file import built_image
from lokikit.stack.docker.compose import compose_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient


@pytest.fixture(scope="session")
def compose_plugin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Docker has a compose plugin: its own, or the one that the tests build."""
    with pytest.MonkeyPatch.context() as patch:
        try:
            compose_command(os.environ)
        except PrerequisiteError:
            folder = tmp_path_factory.mktemp("docker")
            _add_plugin(folder)
            patch.setenv("DOCKER_CONFIG", str(folder))
        yield


def _add_plugin(folder: Path) -> None:
    """Make `folder` a configuration of Docker that is this user's, and has the plugin."""
    program = programs_or_skip(["docker-compose"], "COMPOSE IS")["docker-compose"]
    own = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker"))
    if own.is_dir():
        shutil.copytree(own, folder, dirs_exist_ok=True)
    plugins = folder / "cli-plugins"
    plugins.mkdir(exist_ok=True)
    (plugins / program.name).symlink_to(program)


@pytest.fixture(scope="session")
def client(compose_plugin: None, say: Callable[[str], None]) -> Iterator[DockerClient]:  # noqa: ARG001 - a stack needs it
    """The Docker of this machine, with every image that the stack needs."""
    with ExitStack() as opened:
        try:
            found = opened.enter_context(stocked_docker(say))
        except CannotMakeImageError as error:
            pytest.skip(f"COMPOSE IS NOT TESTED: {error}")
        yield found
        with suppress(ImageNotFound):
            found.images.remove(built_image({"LOKIKIT_VERSION": VERSION}), force=True)


@pytest.fixture(scope="module")
def stack(client: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerStack]:
    """A stack of this module, up with the demo; nothing of it is left afterwards."""
    one = DockerStack(client, tmp_path_factory.mktemp("state"))
    try:
        up = one.run("up")
        assert up.returncode == 0, up.stdout + up.stderr
        one.output = up.stdout
        yield one
    finally:
        one.remove()
