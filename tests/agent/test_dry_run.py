"""Fluent Bit itself checks each combination of the agent's files."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.agent.running import HOST

from lokikit.stack.kit_files import kit_env, kit_root

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = kit_root() / "fluentbit"
INPUTS = sorted(path.stem for path in (FOLDER / "inputs").iterdir())
ENTRIES = sorted(path.stem for path in FOLDER.glob("*.yaml") if "- inputs/" in path.read_text())
MUST = {"FLUENTBIT_STORAGE": "/tmp/none", "FLUENTBIT_FILES": "/tmp/none/*.log"}  # noqa: S108 - nothing is opened
MAY = {
    "HOSTNAME": HOST,
    "KUBE_URL": "https://127.0.0.1:6443",
    "FLUENTBIT_BIND": "127.0.0.1",
    "FLUENTBIT_CONTAINERS": "/tmp/none",  # noqa: S108 - nothing is opened
    "FLUENTBIT_HTTP_RETRIES": "3",
    "LOKI_HOST": "loki.example",
    "LOKI_PORT": "443",
    "LOKI_TENANT": "team-a",
    "LOKI_USER": "user",
    "LOKI_PASSWORD": "p:'ss $word",
    "LOKI_BEARER_TOKEN": "token",
    "LOKI_TLS": "on",
    "LOKI_TLS_VERIFY": "off",
    "LOKI_CA_FILE": "/etc/ssl/certs/ca-certificates.crt",
}


def check(fluent_bit: Path, path: Path, **variables: str) -> str:
    """What it says of a configuration; the last line is its verdict."""
    ports = {name: value for name, value in kit_env({}).items() if name.startswith("FLUENTBIT_")}
    clean = {name: value for name, value in os.environ.items() if name not in MAY}
    done = subprocess.run(
        [str(fluent_bit), "--dry-run", "--config", str(path)],
        env={**clean, **ports, **MUST, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout if done.returncode else done.stdout + "\nok"


@pytest.mark.parametrize("variables", [{}, MAY], ids=["only what must be set", "every variable"])
@pytest.mark.parametrize("entry", ENTRIES)
def test_entries(fluent_bit: Path, entry: str, variables: dict[str, str]) -> None:
    """Each entry file is valid, with and without the variables that may be set."""
    result = check(fluent_bit, FOLDER / f"{entry}.yaml", **variables)
    assert result.endswith("successful\n\nok"), result
    assert "[error]" not in result


@pytest.mark.parametrize("inputs", INPUTS)
def test_combinations(fluent_bit: Path, tmp_path: Path, inputs: str) -> None:
    """The inputs of each platform go with and without the other parts."""
    folder = shutil.copytree(FOLDER, tmp_path / "fluentbit")
    path = folder / "entry.yaml"
    for parts in itertools.product(["kubernetes-names", ""], ["http", ""]):
        names = [f"inputs/{inputs}", *filter(None, parts), "pipeline"]
        path.write_text(yaml.safe_dump({"includes": [f"{name}.yaml" for name in names]}))
        result = check(fluent_bit, path)
        assert result.endswith("successful\n\nok"), (names, result)


@pytest.mark.parametrize(
    ("old", "new"),
    [("db: ", "dp: "), ("retry_limit: ", "retry_limits: "), ("call: ", "calls: ")],
)
def test_a_wrong_property_is_found(fluent_bit: Path, tmp_path: Path, old: str, new: str) -> None:
    """The check can fail: a property that there is not is refused."""
    folder = shutil.copytree(FOLDER, tmp_path / "fluentbit")
    for path in folder.rglob("*.yaml"):
        path.write_text(path.read_text().replace(old, new))
    assert not check(fluent_bit, folder / "native.yaml").endswith("ok")
