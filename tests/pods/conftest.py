"""A cluster with a real node and a release of the chart, where this machine can have one."""

from __future__ import annotations

import io
import os
import secrets
import shutil
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.chart.cluster import Cluster
from tests.chart.helming import Helm
from tests.compose.images import CannotMakeImageError, base_image, stocked_docker
from tests.pods import enclosure, node
from tests.pods.enclosure import Enclosure
from tests.pods.node import Node
from tests.tools.programs import ensure_programs, programs_or_skip

from lokikit.errors import PrerequisiteError
from lokikit.stack.compose_file import built_image, pulled_images
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient

_SANDBOX = f"docker.io/lokikit-tests/sandbox:{secrets.token_hex(4)}"
_VERSION = f"test-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class Machine:
    """What the tests of real pods work with.

    Attributes:
        cluster: the API server and what it says.
        helm: installs on it.
        enclosure: where all of it runs.
        python: an image with a shell, curl and Python.
        canary_tag: tag of the image `lokikit`, which is of the sources of now.
        unenforced: why network policies are not enforced; empty when they are.
    """

    cluster: Cluster
    helm: Helm
    enclosure: Enclosure
    python: str
    canary_tag: str
    unenforced: str


@pytest.fixture(scope="session")
def machine(
    say: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machine]:
    """A cluster with one real node and every image."""
    if problem := _problem():
        pytest.skip(f"PODS ARE NOT TESTED: {problem}")
    with ExitStack() as opened:
        try:
            client = opened.enter_context(stocked_docker(say))
        except CannotMakeImageError as error:
            pytest.skip(f"PODS ARE NOT TESTED: {error}")
        images = opened.enter_context(_images(client))
        programs = programs_or_skip(["helm", "kube", *node.PROGRAMS], "PODS ARE")
        folder = tmp_path_factory.mktemp("node")
        own = Enclosure(folder / "enclosure")
        opened.callback(own.stop)
        own.start()
        cluster = Cluster(programs["kube"], folder, own.address, own.within, ("*",))
        opened.callback(cluster.stop)
        cluster.start()
        one = Node(cluster, own, programs, folder)
        one.start(client, images, _SANDBOX)
        unenforced = _enforce(one)
        say(f"NETWORK POLICIES ARE NOT ENFORCED: {unenforced}" if unenforced else "policies hold")
        helm = Helm(programs["helm"], folder, cluster.kubeconfig)
        yield Machine(cluster, helm, own, base_image(), _VERSION, unenforced)


def _enforce(one: Node) -> str:
    """Have the node enforce network policies, or say why it cannot."""
    if missing := [name for name in node.ENGINE_NEEDS if shutil.which(name) is None]:
        return f"not on PATH: {', '.join(missing)}"
    try:
        engine = ensure_programs([node.ENGINE])[node.ENGINE]
    except PrerequisiteError as error:
        return str(error)
    one.enforce_policies(engine)
    return ""


def _problem() -> str:
    """Why this machine can have no node; empty when it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a node needs Linux and root"
    missing = [name for name in enclosure.PROGRAMS if shutil.which(name) is None]
    return f"not on PATH: {', '.join(missing)}" if missing else ""


@contextmanager
def _images(client: DockerClient) -> Iterator[list[str]]:
    """The names of all images that pods are made of; those made for one run go with it."""
    built = built_image({"LOKIKIT_VERSION": _VERSION})
    sandbox = f"FROM {base_image()}\nENTRYPOINT sleep infinity\n".encode()
    client.images.build(fileobj=io.BytesIO(sandbox), tag=_SANDBOX, rm=True)
    client.images.build(path=str(kit_root()), tag=built, rm=True)
    try:
        yield [*pulled_images(), base_image(), built, _SANDBOX]
    finally:
        for name in (built, _SANDBOX):
            client.images.remove(name, force=True)
