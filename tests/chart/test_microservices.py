"""The values for the community's chart of Loki, beside docs/growing.md and the kit's own Loki.

What that chart makes of them is not tried here: it would have to be fetched.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from pathlib import Path

_BLOCKS = ("schemaConfig", "ingester", "compactor", "limits_config")
_OF_LOKI = {"schemaConfig": "schema_config"}
"""Block of the chart's values -> block of Loki's configuration, where the two differ."""


def values() -> dict[str, Any]:
    """Those of `loki/microservices.yaml`."""
    return dict(yaml.safe_load((kit_root() / "loki/microservices.yaml").read_text()))


def component(name: str) -> str:
    """The key of the chart's values for a component: `index gateway` is `indexGateway`."""
    first, *others = name.split()
    return first + "".join(word.capitalize() for word in others)


def test_page_has_the_replicas_and_requests_of_the_values() -> None:
    """The table of docs/growing.md repeats the values."""
    page = (kit_root() / "docs/growing.md").read_text()
    row = r"^\| ([a-z ]+?) \| (\d+) \| ([\d.]+) \| ([\d.]+) GiB \|$"
    rows = re.findall(row, page, re.MULTILINE)
    assert len(rows) == 7
    for name, replicas, cpus, memory_gib in rows:
        stated = values()[component(name)]
        requests = stated["resources"]["requests"]
        assert stated["replicas"] == int(replicas), name
        assert cores(requests["cpu"]) == float(cpus), name
        assert gibibytes(requests["memory"]) == float(memory_gib), name


def cores(text: str) -> float:
    """`500m` is half a core."""
    return float(text.removesuffix("m")) / 1000 if text.endswith("m") else float(text)


def gibibytes(text: str) -> float:
    """`512Mi` is half a GiB."""
    return float(text[:-2]) / {"Mi": 1024, "Gi": 1}[text[-2:]]


def test_loki_accepts_the_blocks_that_the_chart_passes_on(
    loki_program: Path, tmp_path: Path
) -> None:
    """The chart copies these blocks into Loki's configuration as they are."""
    given = values()["loki"]
    config = {_OF_LOKI.get(name, name): given[name] for name in _BLOCKS}
    config["common"] = {"path_prefix": str(tmp_path), "replication_factor": 1}
    path = tmp_path / "loki.yaml"
    path.write_text(yaml.safe_dump(config))
    checked = subprocess.run(
        [loki_program, "-verify-config", "-target=distributor", f"-config.file={path}"],
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
