"""A registry that images can be pulled from: what it serves was saved by the daemon itself."""

from __future__ import annotations

import hashlib
import json
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@contextmanager
def serve(client: DockerClient, images: dict[str, str], folder: Path) -> Iterator[str]:
    """The address of a registry while it serves images.

    Args:
        client: Docker, which has the images.
        images: `repository:tag` in the registry -> name of the image here.
        folder: for what is served.
    """
    manifests = {
        f"/v2/{name.rpartition(':')[0]}/manifests/{name.rpartition(':')[2]}": _unpacked(
            client, image, folder
        )
        for name, image in images.items()
    }

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            if self.path == "/v2/":
                self._answer("application/json", b"{}")
            elif self.path in manifests:
                self._answer(_MANIFEST, (folder / manifests[self.path]).read_bytes())
            elif (blob := folder / self.path.rpartition(":")[2]).is_file():
                kind = _MANIFEST if "/manifests/" in self.path else "application/octet-stream"
                self._answer(kind, blob.read_bytes())
            else:
                self.send_error(404)

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(body).hexdigest()}")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Keep the lines of requests out of the output of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _unpacked(client: DockerClient, image: str, folder: Path) -> str:
    """The digest of the image's manifest, once all that it names is in `folder`, by digest."""
    saved = folder / "saved.tar"
    with saved.open("wb") as file:
        for piece in client.images.get(image).save():
            file.write(piece)
    with tarfile.open(saved) as archive:
        (output,) = json.load(_member(archive, "manifest.json"))
        config = _stored(_member(archive, output["Config"]).read(), folder)
        layers = [_stored(_member(archive, name).read(), folder) for name in output["Layers"]]
    saved.unlink()
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _described(folder, config, _CONFIG),
        "layers": [_described(folder, layer, _LAYER) for layer in layers],
    }
    return _stored(json.dumps(manifest).encode(), folder)


def _member(archive: tarfile.TarFile, name: str) -> Any:
    return archive.extractfile(name)


def _stored(content: bytes, folder: Path) -> str:
    digest = hashlib.sha256(content).hexdigest()
    (folder / digest).write_bytes(content)
    return digest


def _described(folder: Path, digest: str, kind: str) -> dict[str, str | int]:
    size = Path(folder / digest).stat().st_size
    return {"mediaType": kind, "size": size, "digest": f"sha256:{digest}"}
