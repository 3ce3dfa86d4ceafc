"""A real control plane: etcd, the API server and the controllers."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from typing import TYPE_CHECKING, Any

import requests
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.stack.conftest import free_ports
from tests.waiting import eventually

from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Resource = dict[str, Any]
_STOP_S = 60
_GARBAGE_PERCENT = "400"
"""Of Go: memory is there, and by its default of 100 a fifth of the time goes into collections."""
_WITHOUT_NODES = (
    "daemonset-controller",
    "deployment-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "persistentvolumeclaim-protection-controller",
    "replicaset-controller",
    "serviceaccount-controller",
    "statefulset-controller",
)
"""What acts on the chart's resources while nothing runs."""
SERVICES = "10.0.0.0/16"
"""Where the addresses of Services are."""
PRIVILEGED, RESTRICTED = "privileged", "restricted"


class Cluster:
    """The control plane, and what it says of resources.

    Args:
        program: the `kube` to run.
        folder: takes all that is written.
        address: that the API server listens on.
        within: what runs a command where that address is; here when it is empty.
        controllers: the controllers that run.

    Attributes:
        kubeconfig: for `helm`.
        url: where the API server answers.
        ca_file: its certificate.
        token: of somebody who may do anything.
    """

    def __init__(
        self,
        program: Path,
        folder: Path,
        address: str = "127.0.0.1",
        within: Sequence[str] = (),
        controllers: Sequence[str] = _WITHOUT_NODES,
    ) -> None:
        self._program, self._folder = program, folder
        self._address, self._within, self._controllers = address, within, controllers
        self.token = secrets.token_hex(16)
        self._started: list[subprocess.Popen[bytes]] = []
        self._etcd_port, self._peer_port, self._port = free_ports(3)
        self.url = f"https://{address}:{self._port}"
        self.ca_file = str(folder / "certs/apiserver.crt")
        self.kubeconfig = folder / "kubeconfig"
        self._http = requests.Session()
        self._http.trust_env = False  # its own certificate, and no proxy
        self._http.headers["Authorization"] = f"Bearer {self.token}"
        self._kinds: dict[tuple[str, str], Resource] = {}

    def start(self) -> None:
        """Start all of it, and wait until it takes resources."""
        self._write_files()
        self._start("etcd", *self._etcd_flags())
        self._start("apiserver", *self._api_flags())
        self._http.verify = self.ca_file
        eventually(self._is_up, within_s=180)
        self._start("controller-manager", *self._controller_flags())

    def add_node(self) -> None:
        """Add a node that is there by name alone: nothing runs on it."""
        metadata = {"name": "node-1", "labels": {"kubernetes.io/os": "linux"}}
        self.apply({"apiVersion": "v1", "kind": "Node", "metadata": metadata})
        # It is born with a taint that its kubelet would take off.
        answer = self._http.patch(
            f"{self.url}/api/v1/nodes/node-1",
            headers={"Content-Type": "application/merge-patch+json"},
            data=json.dumps({"spec": {"taints": None}}),
            timeout=60,
        )
        answer.raise_for_status()

    def stop(self) -> None:
        """End all of it."""
        for process in reversed(self._started):
            process.kill()
            process.wait(_STOP_S)

    def namespace(self, level: str = RESTRICTED) -> str:
        """A new namespace that enforces a level of Pod Security."""
        name = f"logs-{secrets.token_hex(4)}"
        labels = {"pod-security.kubernetes.io/enforce": level}
        self.apply(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": name, "labels": labels},
            }
        )
        account = {"apiVersion": "v1", "kind": "ServiceAccount"}
        eventually(lambda: self.get(account, "default", name), within_s=60)
        return name

    def validate(self, resource: Resource, namespace: str) -> str:
        """What the API server finds wrong with it, unknown fields and all; nothing is kept."""
        strictly = {"dryRun": "All", "fieldValidation": "Strict"}
        return self._patch(resource, namespace, strictly)

    def apply(self, resource: Resource, namespace: str = "default") -> None:
        """Create or change it."""
        said = self._patch(resource, namespace, {"fieldValidation": "Strict"})
        assert not said, said

    def get(self, kind: Resource, name: str, namespace: str) -> Resource | None:
        """The resource of that name and of the kind of `kind`, `None` when there is none."""
        answer = self._http.get(f"{self._collection(kind, namespace)}/{name}", timeout=60)
        return answer.json() if answer.ok else None

    def all(self, kind: Resource, namespace: str) -> list[Resource]:
        """The resources of the kind of `kind`."""
        answer = self._http.get(self._collection(kind, namespace), timeout=60)
        answer.raise_for_status()
        return list(answer.json()["items"])

    def pods(self, namespace: str) -> dict[str, Resource]:
        """The pods that are not on their way out, by name."""
        found = self.all({"apiVersion": "v1", "kind": "Pod"}, namespace)
        alive = [one for one in found if "deletionTimestamp" not in one["metadata"]]
        return {one["metadata"]["name"]: one for one in alive}

    def delete(self, resource: Resource, name: str, namespace: str, grace_s: int = 30) -> None:
        """Ask for its end, as its kind does it."""
        url = f"{self._collection(resource, namespace)}/{name}"
        answer = self._http.delete(url, params={"gracePeriodSeconds": grace_s}, timeout=60)
        answer.raise_for_status()

    def loki(self, service: str, namespace: str, tenant: str | None = None) -> Loki:
        """The Loki behind a service, asked by way of the API server."""
        path = f"api/v1/namespaces/{namespace}/services/{service}:http/proxy"
        return Loki(f"{self.url}/{path}", tenant=tenant, auth=self.token, ca_file=self.ca_file)

    def post(self, service: str, namespace: str, path: str, body: object) -> int:
        """The status that a service answers to JSON with, by way of the API server."""
        url = f"{self.url}/api/v1/namespaces/{namespace}/services/{service}/proxy/{path}"
        return self._http.post(url, json=body, timeout=60).status_code

    def _patch(self, resource: Resource, namespace: str, parameters: dict[str, str]) -> str:
        name = resource["metadata"]["name"]
        answer = self._http.patch(
            f"{self._collection(resource, namespace)}/{name}",
            params={"fieldManager": "tests", "force": "true", **parameters},
            headers={"Content-Type": "application/apply-patch+yaml"},
            # YAML has no pairs of surrogates, as JSON writes what is beyond 16 bits in ASCII.
            data=json.dumps(resource, ensure_ascii=False).encode(),
            timeout=60,
        )
        return "" if answer.ok else str(answer.json()["message"])

    def _collection(self, resource: Resource, namespace: str) -> str:
        version, kind = resource["apiVersion"], resource["kind"]
        if (version, kind) not in self._kinds:
            for told in self._resources(version):
                self._kinds[version, told["kind"]] = told
        told = self._kinds[version, kind]
        root = f"{self.url}/{'apis' if '/' in version else 'api'}/{version}"
        scope = f"/namespaces/{namespace}" if told["namespaced"] else ""
        return f"{root}{scope}/{told['name']}"

    def _resources(self, version: str) -> Iterator[Resource]:
        root = "apis" if "/" in version else "api"
        answer = self._http.get(f"{self.url}/{root}/{version}", timeout=60)
        answer.raise_for_status()
        yield from (one for one in answer.json()["resources"] if "/" not in one["name"])

    def _start(self, part: str, *flags: str) -> None:
        with (self._folder / f"{part}.log").open("ab") as log:
            command = [*self._within, str(self._program), part, *flags]
            environ = {**os.environ, "GOGC": _GARBAGE_PERCENT}
            self._started.append(
                subprocess.Popen(command, cwd=self._folder, env=environ, stdout=log, stderr=log)
            )

    def _is_up(self) -> bool:
        for process in self._started:
            assert process.poll() is None, f"{process.args!r} ended: see {self._folder}"
        try:
            return self._http.get(f"{self.url}/readyz", timeout=10).ok
        except (requests.RequestException, OSError):
            return False

    def _write_files(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        (self._folder / "accounts.pem").write_bytes(pem)
        (self._folder / "tokens.csv").write_text(f'{self.token},test,test,"system:masters"\n')
        cluster = {"server": self.url, "insecure-skip-tls-verify": True}
        named = {
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": self.token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        }
        config = {"apiVersion": "v1", "kind": "Config", **named, "current-context": "test"}
        self.kubeconfig.write_text(yaml.safe_dump(config))
        self.kubeconfig.chmod(0o600)

    def _etcd_flags(self) -> tuple[str, ...]:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, self._peer_port))
        return (
            f"--data-dir={self._folder}/etcd",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=error",
        )

    def _api_flags(self) -> tuple[str, ...]:
        return (
            f"--bind-address={self._address}",
            f"--secure-port={self._port}",
            f"--cert-dir={self._folder}/certs",
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            f"--service-cluster-ip-range={SERVICES}",
            "--authorization-mode=Node,RBAC",
            f"--token-auth-file={self._folder}/tokens.csv",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._folder}/accounts.pem",
            f"--service-account-signing-key-file={self._folder}/accounts.pem",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
            # Pods find it at this address, where there are any: loopback is none for them.
            *(
                [f"--advertise-address={self._address}"]
                if self._within
                else ["--endpoint-reconciler-type=none"]
            ),
        )

    def _controller_flags(self) -> tuple[str, ...]:
        return (
            f"--kubeconfig={self.kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            f"--root-ca-file={self.ca_file}",
            f"--controllers={','.join(self._controllers)}",
        )
