"""Loki as three replicas over S3, from the kit's files, each of which can be killed and return."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import requests
import yaml
from tests.stack.conftest import free_ports
from tests.waiting import eventually

from lokikit.stack.kit_files import kit_root
from lokikit.stack.native.loki import is_ready, loki_variables

if TYPE_CHECKING:
    from pathlib import Path

REPLICAS = 3
_BUCKET = "loki"
_KEY = "test"
_STOP_S = 120


def laid_over(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid over it, mapping by mapping, as the chart does."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = laid_over(below, value)
        else:
            merged[key] = value
    return merged


def ha_config(**further: Any) -> dict[str, Any]:
    """Loki's configuration for `ha`, with `further` sections laid over it."""
    files = ("loki/loki.yaml", "loki/ha.yaml")
    base, over = (yaml.safe_load((kit_root() / name).read_text()) for name in files)
    return laid_over(laid_over(base, over), further)


class ObjectStore:
    """S3 on a free port of 127.0.0.1 that can go away and come back with all that it had."""

    def __init__(self) -> None:
        import boto3  # noqa: PLC0415 - each worker would wait for it, and one needs it

        (self._port,) = free_ports(1)
        self.endpoint = f"127.0.0.1:{self._port}"
        self.start()
        self._client = boto3.client(
            "s3",
            endpoint_url=f"http://{self.endpoint}",
            aws_access_key_id=_KEY,
            aws_secret_access_key=_KEY,
            region_name="us-east-1",
        )
        self._client.create_bucket(Bucket=_BUCKET)

    def start(self) -> None:
        """Answer again."""
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - as above

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()

    def stop(self) -> None:
        """Refuse connections."""
        self._server.stop()

    def names(self) -> list[str]:
        """Of the objects that it holds."""
        found = self._client.list_objects_v2(Bucket=_BUCKET)
        return [one["Key"] for one in found.get("Contents", ())]


class Replica:
    """One of the three.

    Args:
        program: the `loki` to run.
        folder: takes its data and its log.
        number: which.
        config: the file of all three.
        variables: of its environment.
    """

    def __init__(
        self, program: Path, folder: Path, number: int, config: Path, variables: dict[str, str]
    ) -> None:
        self._command = [str(program), f"-config.file={config}", "-config.expand-env=true"]
        self._data, self._log = folder / f"data-{number}", folder / f"loki-{number}.log"
        http_port, grpc_port = free_ports(2)
        self.name = f"loki-{number}"
        self.url = f"http://127.0.0.1:{http_port}"
        own = loki_variables(self._data, http_port, grpc_port)
        self._variables = {**own, "LOKI_ID": self.name, **variables}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it is not ready yet."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env={**os.environ, **self._variables}, stdout=log, stderr=log
            )

    def await_ready(self) -> None:
        """Wait until it takes pushes and answers queries."""
        eventually(self._is_up, within_s=180)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as a rolling restart does; it puts what it has into the store."""
        self._end(signal.SIGTERM)

    def misses(self, name: str) -> bool:
        """Whether it takes the replica of that name for gone."""
        ring = requests.get(f"{self.url}/ring", headers={"Accept": "application/json"}, timeout=30)
        states = {one["id"]: one["state"] for one in ring.json()["shards"]}
        return states.get(name) in {None, "UNHEALTHY"}

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process is not None
        return self._process.pid

    def lose_disk(self) -> None:
        """What it had on its disk is gone."""
        shutil.rmtree(self._data)

    def metric(self, name: str) -> float:
        """The sum of one of its metrics."""
        lines = requests.get(f"{self.url}/metrics", timeout=30).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_STOP_S)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Loki ended: {self._log.read_text()[-2000:]}"
        return is_ready(self.url)


class Replicas:
    """All three, ready, over one object store.

    Args:
        program: the `loki` to run.
        folder: takes all that they write.
    """

    def __init__(self, program: Path, folder: Path) -> None:
        self.store = ObjectStore()
        gossip = free_ports(REPLICAS)
        config = folder / "loki.yaml"
        peers = [f"127.0.0.1:{port}" for port in gossip]
        local = {
            "memberlist": {
                # One host has one name, and no DNS that names three.
                "join_members": peers,
                "bind_addr": ["127.0.0.1"],
                "bind_port": "${GOSSIP_PORT}",
                "advertise_port": "${GOSSIP_PORT}",
            },
            "common": {"ring": {"instance_port": "${LOKI_GRPC_PORT}"}},
            "ingester": {
                "wal": {"flush_on_shutdown": True},
                # A failed flush is tried again after this, and not after 10 s.
                "flush_op_backoff": {"min_period": "500ms", "max_period": "1s"},
            },
        }
        config.write_text(yaml.safe_dump(ha_config(**local)))
        self.all = []
        for number, port in enumerate(gossip):
            variables = {"GOSSIP_PORT": str(port), **self._variables()}
            self.all.append(Replica(program, folder, number, config, variables))
        try:
            self.start()
        except BaseException:
            self.end()
            raise

    def start(self) -> None:
        """Start all that there are."""
        for one in self.all:
            one.start()
        for one in self.all:
            one.await_ready()

    def end(self) -> None:
        """Leave nothing."""
        for one in self.all:
            one.kill()
        self.store.stop()

    def _variables(self) -> dict[str, str]:
        return {
            "LOKI_ADDRESS": "127.0.0.1",
            "LOKI_PEERS": "",
            "S3_ENDPOINT": self.store.endpoint,
            "S3_BUCKET": _BUCKET,
            "S3_ACCESS_KEY_ID": _KEY,
            "S3_SECRET_ACCESS_KEY": _KEY,
            "S3_INSECURE": "true",
        }
