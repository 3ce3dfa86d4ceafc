"""The wheel in environments of the oldest and the newest Python of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lokikit.stack.kit_files import kit_root

pytestmark = pytest.mark.soak

VERSIONS = re.findall(
    r'"Programming Language :: Python :: (3\.\d+)"',
    (kit_root() / "pylib/pyproject.toml").read_text(),
)
"""The versions that the package names, oldest first."""
LIGHT = """
import json, logging, sys
import lokikit
lokikit.setup_json_logging("api")
logging.getLogger("a").info("order %s placed", 42)
assert not {"requests", "typer", "duckdb"} & set(sys.modules), "import lokikit is not light"
"""


def pythons() -> dict[str, str]:
    """Return version -> a Python of that version that runs, on PATH or in a folder of pyenv."""
    found = {}
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for version in VERSIONS:
        own = sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
        for program in [shutil.which(f"python{version}"), *map(str, own)]:
            if program and _runs(program, version):
                found[version] = program
                break
    return found


def _runs(program: str, version: str) -> bool:
    """Return False for a shim without such a version, or a Python without environments."""
    script = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([program, "-c", script], capture_output=True, text=True, check=False)
    return done.stdout.strip() == version


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as a release is."""
    folder = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        f"--wheel-dir={folder}",
        "./pylib",
    )
    return next(folder.glob("*.whl"))


def run(*command: str, cwd: Path | None = None) -> str:
    """Return the stdout of a command, which must succeed, away from the checkout's own settings."""
    done = subprocess.run(
        command, cwd=cwd or kit_root(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-2], VERSIONS[-1]])
def test_the_wheel_runs_on_the_oldest_and_newest_python(
    wheel: Path, tmp_path: Path, version: str
) -> None:
    program = pythons().get(version)
    if program is None:
        pytest.skip(f"no Python {version} with venv on PATH or below ~/.pyenv/versions")
    run(program, "-m", "venv", "env", cwd=tmp_path)
    python, lokikit = (str(tmp_path / "env/bin" / name) for name in ("python", "lokikit"))
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, str(wheel), cwd=tmp_path)
    assert '"message":"order 42 placed"' in run(python, "-c", LIGHT, cwd=tmp_path)
    run(*pip, f"{wheel}[cli,push]", cwd=tmp_path)
    assert run(lokikit, "--version", cwd=tmp_path).startswith("lokikit ")
    assert run(lokikit, "logql", "fmt", "1", cwd=tmp_path) == "1\n"
    run(lokikit, "init", "kit", cwd=tmp_path)
    assert (tmp_path / "kit/docker-compose.yml").is_file()
    run(python, "-c", "from lokikit import LokiHandler", cwd=tmp_path)
