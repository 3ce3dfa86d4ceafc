"""The values for the community's chart of Loki, by that chart and by Loki."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from lokikit.kit import kit_root
from lokikit.native.programs import LOKI, ensure_programs

if TYPE_CHECKING:
    from tests.chart.helming import Helm

COMPONENT = "app.kubernetes.io/component"


def community_chart(folder: Path) -> Path:
    """The chart as it was when it moved to the community, which Loki's module carries.

    What it depends on is for other modes, and is left out.
    """
    module = f"github.com/grafana/loki/v3@v{LOKI.pinned}"
    told = subprocess.run(
        ["go", "mod", "download", "-json", module],  # noqa: S607 - of this machine
        cwd=Path.home(),
        stdout=subprocess.PIPE,
        check=True,
    )
    chart = folder / "loki"
    home = Path(json.loads(told.stdout)["Dir"])
    shutil.copytree(home / "production/helm/loki", chart, copy_function=shutil.copyfile)
    for path in [chart, *chart.rglob("*")]:
        path.chmod(0o755)
    (chart / "Chart.lock").unlink()
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    del about["dependencies"]
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about))
    return chart


def test_microservices(helm: Helm, tmp_path: Path) -> None:
    """That chart takes the values, makes what docs/growing.md says, and Loki its configuration."""
    values = kit_root() / "loki/microservices.yaml"
    told = helm.check("template", "loki", str(community_chart(tmp_path)), f"--values={values}")
    resources = [one for one in yaml.load_all(told, yaml.CSafeLoader) if one]
    replicas: dict[str, int] = {}
    for one in resources:
        if one["kind"] in {"Deployment", "StatefulSet"}:
            component = one["metadata"]["labels"].get(COMPONENT, "")
            replicas[component] = replicas.get(component, 0) + one["spec"]["replicas"]
    page = (kit_root() / "docs/growing.md").read_text()
    rows = re.findall(r"^\| ([a-z ]+?) \| (\d+) \| [\d.]+ \| [\d.]+ GiB \|$", page, re.MULTILINE)
    assert len(rows) == 7
    assert {name: int(count) for name, count in rows} == {
        name: replicas[name.replace(" ", "-")] for name, _ in rows
    }
    (config,) = (
        one["data"]["config.yaml"]
        for one in resources
        if one["kind"] == "ConfigMap" and "config.yaml" in one.get("data", {})
    )
    (tmp_path / "loki.yaml").write_text(config)
    command = [str(ensure_programs(["loki"])["loki"]), "-verify-config", "-target=distributor"]
    checked = subprocess.run(
        [*command, f"-config.file={tmp_path / 'loki.yaml'}"], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
