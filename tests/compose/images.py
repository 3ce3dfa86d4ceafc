"""Images under the official names, made here where no registry can be reached.

What is on this machine already, or can be pulled, is taken as it is. Otherwise the programs of this
machine are imported as images: the `loki` and the `fluent-bit` on PATH, a Debian in
place of Python's base image (the kit's own Dockerfile is then built on it). Grafana is a stand-in
that only answers: what the tests show of it is its wiring, not Grafana.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import docker
from docker.errors import APIError, ImageNotFound

from lokikit.errors import PrerequisiteError
from lokikit.stack.docker.engine import daemon_problem
from lokikit.stack.kit_files import kit_env
from lokikit.stack.native.loki import loki_version, require_loki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from docker import DockerClient

MARK = "lokikit.tests.made-from"
"""Label of the images that were made here: what from."""
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_AGENT_USER = 10001
_PACKAGES = "python3,python3-venv,ca-certificates,curl"
_STAND_IN = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a stand-in for Grafana")
http.server.HTTPServer(("", 3000), Answer).serve_forever()
"""


class CannotMakeImageError(Exception):
    """Raised when an image is not here, cannot be pulled and cannot be made."""


@contextmanager
def stocked_docker(say: Callable[[str], object]) -> Iterator[DockerClient]:
    """The Docker of this machine with every image that the stack needs.

    Raises:
        CannotMakeImageError: Docker is missing, or an image cannot be had; names the reason.
    """
    # Asked without the SDK, which leaves a socket open where nobody answers.
    if problem := daemon_problem():
        raise CannotMakeImageError(problem)
    client = docker.from_env()
    try:
        _ensure_images(client, say)
        yield client
    finally:
        client.close()


def _ensure_images(client: DockerClient, say: Callable[[str], object]) -> None:
    """Have every image that the stack needs, and report those that are not the official images.

    Raises:
        CannotMakeImageError: an image cannot be had; the text names it and the reason.
    """
    for name, make in _makers().items():
        if not _is_here(client, name) and not _can_be_pulled(client, name):
            say(f"making {name}: it is neither here nor can it be pulled")
            make(client, name)
        made_from = client.images.get(name).labels.get(MARK)
        if made_from:
            say(f"NOT THE OFFICIAL IMAGE: {name} is {made_from}")


def base_image() -> str:
    """What the kit's Dockerfile begins with."""
    values = kit_env()
    return f"{values['REGISTRY']}/library/python:{values['PYTHON_VERSION']}-slim-trixie"


def _makers() -> dict[str, Callable[[DockerClient, str], None]]:
    """Each image that a registry has, and what makes one like it; in the order of their needs."""
    values = kit_env()
    registry = values["REGISTRY"]
    return {
        f"{registry}/grafana/loki:{values['LOKI_VERSION']}": _make_loki,
        f"{registry}/fluent/fluent-bit:{values['FLUENTBIT_VERSION']}": _make_fluent_bit,
        base_image(): _make_base,
        f"{registry}/grafana/grafana:{values['GRAFANA_VERSION']}": _make_grafana,
    }


def _is_here(client: DockerClient, name: str) -> bool:
    try:
        client.images.get(name)
    except ImageNotFound:
        return False
    return True


def _can_be_pulled(client: DockerClient, name: str) -> bool:
    try:
        client.images.pull(name)
    except APIError:
        return False
    return True


def _make_loki(client: DockerClient, name: str) -> None:
    try:
        program = require_loki()
    except PrerequisiteError as error:
        raise CannotMakeImageError(f"{name} cannot be pulled, and {error}") from error
    version = loki_version(program)
    content = {**_with_libraries(program, "/usr/bin/loki"), "/loki": None}
    changes = [f"USER {_AGENT_USER}", 'ENTRYPOINT ["/usr/bin/loki"]']
    _import(client, name, content, changes, f"the loki of PATH ({version})")


def _make_fluent_bit(client: DockerClient, name: str) -> None:
    found = shutil.which("fluent-bit")
    if found is None:
        raise CannotMakeImageError(f"{name} cannot be pulled, and fluent-bit is not on PATH")
    content = _with_libraries(Path(found), "/fluent-bit/bin/fluent-bit")
    content[str(_CERTIFICATES)] = _CERTIFICATES
    output = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    changes = ['ENTRYPOINT ["/fluent-bit/bin/fluent-bit"]']
    _import(client, name, content, changes, f"the fluent-bit of PATH ({output.splitlines()[0]})")


def _make_base(client: DockerClient, name: str) -> None:
    debootstrap = shutil.which("debootstrap")
    if debootstrap is None:
        raise CannotMakeImageError(f"{name} cannot be pulled, and there is no debootstrap")
    with tempfile.TemporaryDirectory() as folder:
        options = ["--variant=minbase", f"--include={_PACKAGES}"]
        done = subprocess.run(
            [debootstrap, *options, "trixie", folder], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise CannotMakeImageError(f"{name}: debootstrap failed: {done.stdout[-500:]}")
        root = Path(folder)
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
        # Where this machine reaches PyPI through a proxy of its own, so does the build.
        shutil.copy(_CERTIFICATES, root / _CERTIFICATES.relative_to("/"))
        for left in ("proc", "sys", "dev", "var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(root / left, ignore_errors=True)
        content = {"/": root}
        environment = f"ENV PATH=/usr/local/bin:/usr/bin:/bin PIP_CERT={_CERTIFICATES}"
        _import(client, name, content, [environment], "a Debian trixie with its own Python")


def _make_grafana(client: DockerClient, name: str) -> None:
    command = json.dumps(["python", "-c", _STAND_IN])
    text = f"FROM {base_image()}\nUSER 472\nSTOPSIGNAL SIGINT\nCMD {command}\n"
    labels = {MARK: "A STAND-IN that only answers: it proves nothing about Grafana itself"}
    client.images.build(fileobj=io.BytesIO(text.encode()), tag=name, labels=labels, rm=True)


def _with_libraries(program: Path, target: str) -> dict[str, Path | None]:
    """What an image needs of this machine to run `program` as `target`."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)  # noqa: S607 - of this machine
    libraries = re.findall(r"(/\S+) \(0x", done.stdout)
    return {target: program, **{name: Path(name) for name in libraries}, "/tmp": None}  # noqa: S108 - the image's own


def _import(
    client: DockerClient,
    name: str,
    content: Mapping[str, Path | None],
    changes: list[str],
    made_from: str,
) -> None:
    """Make an image of files and folders; a folder that is `None` is empty, the agent's own."""
    repository, tag = name.rsplit(":", 1)
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for target, source in content.items():
                if source is None:
                    _add_folder(archive, target)
                else:
                    # A library is often a link: the image gets what it leads to.
                    real = source.resolve() if source.is_file() else source
                    archive.add(real, arcname=target.lstrip("/") or ".")
        file.seek(0)
        labels = [f'LABEL {MARK}="{made_from}"']
        client.api.import_image_from_data(file, repository, tag, changes=[*changes, *labels])


def _add_folder(archive: tarfile.TarFile, target: str) -> None:
    folder = tarfile.TarInfo(target.lstrip("/"))
    folder.type, folder.mode = tarfile.DIRTYPE, 0o755
    folder.uid = folder.gid = _AGENT_USER
    archive.addfile(folder, io.BytesIO())
