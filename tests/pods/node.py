"""A real node of a cluster: containerd, kubelet, service addresses and names, and a scheduler."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from tests.chart.cluster import SERVICES
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from docker import DockerClient
    from tests.chart.cluster import Cluster
    from tests.pods.enclosure import Enclosure

NAME = "node-1"
PROGRAMS = (
    "bridge",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "dns",
    "host-local",
    "kube-node",
    "loopback",
)
"""What the kit builds for it."""
ENGINE = "kube-router"
"""What enforces network policies; the kit builds it too."""
ENGINE_NEEDS = ("ip6tables", "iptables", "iptables-restore", "iptables-save", "ipset")
"""What that asks of the machine."""
_PODS = "10.244.0.0/16"
_SOCKET = "/run/containerd/containerd.sock"
_NODE = {"apiVersion": "v1", "kind": "Node"}
_RUNTIME = """
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "{sandbox}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{programs}"]
    conf_dir = "{network}"
"""
_NAMES = """
cluster.local:53 {{
  errors
  kubernetes cluster.local {{
    kubeconfig {kubeconfig} test
  }}
}}
"""


class Node:
    """The only node of a cluster.

    Args:
        cluster: what it belongs to.
        enclosure: where it runs.
        programs: `PROGRAMS`, all in one folder.
        folder: takes its configuration.
    """

    def __init__(
        self,
        cluster: Cluster,
        enclosure: Enclosure,
        programs: Mapping[str, Path],
        folder: Path,
    ) -> None:
        self._cluster, self._enclosure, self._folder = cluster, enclosure, folder
        self._programs = {name: str(path) for name, path in programs.items()}
        self._bin = str(programs["containerd"].parent)

    def start(self, client: DockerClient, images: Iterable[str], sandbox: str) -> None:
        """Start all of it with Docker's `images`, and wait until it takes pods.

        Args:
            client: Docker.
            images: names of images.
            sandbox: the image of those that holds a pod's namespaces.
        """
        self._start_runtime(sandbox)
        self._import(client, images)
        kubeconfig = f"--kubeconfig={self._cluster.kubeconfig}"
        self._start("scheduler", kubeconfig, "--leader-elect=false", "--secure-port=0")
        names = self._write("Corefile", _NAMES.format(kubeconfig=self._cluster.kubeconfig))
        self._enclosure.start_process("dns", self._programs["dns"], "-conf", names)
        named = (f"--hostname-override={NAME}", kubeconfig)
        config = self._write("kubelet.yaml", yaml.safe_dump(self._kubelet()))
        address = f"--node-ip={self._enclosure.address}"
        self._start("kubelet", *named, address, f"--config={config}", "--root-dir=/var/lib/kubelet")
        eventually(self._is_ready, within_s=120)
        config = self._write("proxy.yaml", yaml.safe_dump(self._proxy()))
        self._start("proxy", f"--config={config}")

    def enforce_policies(self, engine: Path) -> None:
        """Have network policies enforced, also between pods on its one bridge."""
        self._enclosure.run("sysctl", "-w", "net.bridge.bridge-nf-call-iptables=1")
        parts = ("--run-firewall=true", "--run-router=false", "--run-service-proxy=false")
        named = (f"--kubeconfig={self._cluster.kubeconfig}", f"--hostname-override={NAME}")
        services = f"--service-cluster-ip-range={SERVICES}"
        self._enclosure.start_process("policies", str(engine), *parts, *named, services)
        eventually(lambda: "KUBE-ROUTER-FORWARD" in self._enclosure.run("iptables-save"), 60)

    def _start_runtime(self, sandbox: str) -> None:
        network = self._folder / "network"
        network.mkdir()
        (network / "10-pods.conflist").write_text(json.dumps(_network()))
        told = {"socket": _SOCKET, "sandbox": sandbox, "programs": self._bin, "network": network}
        config = self._write("containerd.toml", _RUNTIME.format(**told))
        # It looks for its shim on PATH.
        path = ["env", f"PATH={self._bin}:/usr/sbin:/usr/bin:/sbin:/bin"]
        command = [*path, self._programs["containerd"], f"--config={config}"]
        self._enclosure.start_process("containerd", *command)
        eventually(self._runtime_answers, within_s=60)

    def _runtime_answers(self) -> bool:
        try:
            return bool(self._ctr("version"))
        except AssertionError:
            return False

    def _import(self, client: DockerClient, images: Iterable[str]) -> None:
        for number, name in enumerate(images):
            file = self._folder / f"image-{number}.tar"
            with file.open("wb") as archive:
                archive.writelines(client.api.get_image(name))
            self._ctr("images", "import", str(file))
            file.unlink()

    def _ctr(self, *arguments: str) -> str:
        command = [self._programs["ctr"], f"--address={_SOCKET}", "--namespace=k8s.io"]
        return self._enclosure.run(*command, *arguments)

    def _start(self, part: str, *flags: str) -> None:
        self._enclosure.start_process(part, self._programs["kube-node"], part, *flags)

    def _write(self, name: str, text: str) -> str:
        file = self._folder / name
        file.write_text(text)
        return str(file)

    def _is_ready(self) -> bool:
        found = self._cluster.get(_NODE, NAME, "")
        conditions = found["status"].get("conditions", ()) if found else ()
        is_ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        return is_ready and "taints" not in found["spec"]

    def _kubelet(self) -> dict[str, Any]:
        never = dict.fromkeys(
            ("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available"), "0%"
        )
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": self._enclosure.cgroup,
            "cgroupsPerQOS": False,
            "clusterDNS": [self._enclosure.address],
            "clusterDomain": "cluster.local",
            # So that a test sees what is rotated: a file of a pod that prints 20,000 lines.
            "containerLogMaxSize": "1Mi",
            "containerLogMonitorInterval": "3s",
            "containerRuntimeEndpoint": f"unix://{_SOCKET}",
            "enforceNodeAllocatable": [],
            # A full disk of the machine is not what is tested here.
            "evictionHard": never,
            "failCgroupV1": False,
            "failSwapOn": False,
            "imageGCHighThresholdPercent": 100,
        }

    def _proxy(self) -> dict[str, Any]:
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": str(self._cluster.kubeconfig)},
            "clusterCIDR": _PODS,
            "conntrack": {"maxPerCore": 0},
            "hostnameOverride": NAME,
            "mode": "nftables",
        }


def _network() -> dict[str, Any]:
    """What containerd gives each pod: a place on one bridge."""
    addresses = {"type": "host-local", "ranges": [[{"subnet": _PODS}]]}
    routes = {"routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {
        "type": "bridge",
        "bridge": "pods",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {**addresses, **routes},
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}
