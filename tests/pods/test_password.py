"""The page's commands for another password of Grafana, in a pod that runs."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.chart.test_page_commands import commands
from tests.pods.release import Release
from tests.tools.programs import ensure_programs

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pods.conftest import Machine

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
RESET = "grafana cli admin reset-admin-password --password-from-stdin <"


def test_another_password(machine: Machine, tmp_path: Path) -> None:
    """The pod has a shell and reads the new secret, which is what Grafana's own command is fed.

    `cat` takes the place of that command: the image may be a stand-in.
    """
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("GRAFANA'S PASSWORD IS NOT TESTED: kubectl is not on PATH")
    (tmp_path / "helm").symlink_to(ensure_programs(["helm"])["helm"])
    (tmp_path / "kubectl").symlink_to(kubectl)
    one = Release(
        machine, {"loki.persistence.enabled": False, "grafana.persistence.enabled": False}
    )
    one.install()
    page = commands("kubernetes")
    first = next(number for number, line in enumerate(page) if "create secret generic" in line)
    last = next(number for number, line in enumerate(page) if RESET in line)
    printed = ""
    for line in page[first : last + 1]:
        script = line.replace("--namespace logging", f"--namespace {one.namespace}")
        printed = subprocess.run(
            ["bash", "-ec", script.replace(RESET, "cat")],  # noqa: S607 - of this machine
            cwd=kit_root(),
            env={
                **os.environ,
                "KUBECONFIG": str(machine.cluster.kubeconfig),
                "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    kind = {"apiVersion": "v1", "kind": "Secret"}
    secret = machine.cluster.get(kind, "grafana-admin", one.namespace)
    assert secret
    assert printed == base64.b64decode(secret["data"]["password"]).decode()
    one.uninstall()
