"""A Docker stack of the tests' own, driven by `lokikit` and looked at through Docker's SDK."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import pytest
from docker.errors import ImageNotFound
from tests.compose.images import CannotMakeImageError, stocked_docker
from tests.compose.stack import VERSION, DockerStack

from lokikit.docker.images import built_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient


@pytest.fixture(scope="session")
def client(say: Callable[[str], None]) -> Iterator[DockerClient]:
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
        one.said = up.stdout
        yield one
    finally:
        one.remove()
