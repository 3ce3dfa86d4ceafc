"""A private registry mirror, by one variable."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from docker.errors import ImageNotFound
from tests.compose.images import base_image
from tests.compose.registry import serve
from tests.compose.stack import VERSION, DockerStack

from lokikit.stack.compose_file import built_image, pulled_images
from lokikit.stack.kit_files import kit_env

if TYPE_CHECKING:
    from pathlib import Path

    from docker import DockerClient


@pytest.mark.soak
def test_private_mirror(client: DockerClient, tmp_path: Path) -> None:
    """With REGISTRY set, each image is pulled from there, with its progress shown."""
    prefix = f"{kit_env({})['REGISTRY']}/"
    names = [*pulled_images({}), base_image()]
    folder = tmp_path / "served"
    folder.mkdir()
    stack = DockerStack(client, tmp_path / "state")
    images = {f"mirror/{name.removeprefix(prefix)}": name for name in names}
    with serve(client, images, folder) as address:
        mirror = f"{address}/mirror"
        own = built_image({"LOKIKIT_VERSION": f"{VERSION}-mirror"})
        variables = {"REGISTRY": mirror, "LOKIKIT_VERSION": own.partition(":")[2]}
        try:
            up = stack.run("up", "--no-demo", **variables)
            assert up.returncode == 0, up.stdout + up.stderr
            for name in pulled_images({"REGISTRY": mirror}):
                assert f"Pulling {name}" in up.stdout
                assert f"Status: Downloaded newer image for {name}" in up.stdout
            used = {one.attrs["Config"]["Image"] for one in stack.containers().values()}
            assert used == {own, *pulled_images({"REGISTRY": mirror})}
        finally:
            stack.remove()
            for name in (own, *(f"{address}/{one}" for one in images)):
                with suppress(ImageNotFound):  # a builder keeps what it begins with to itself
                    client.images.remove(name, force=True)
