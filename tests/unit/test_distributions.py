"""What is published: the wheel, also when it is built from the sdist, and the light install."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_LINE_ONLY = ("typer", "rich", "requests", "dotenv", "platformdirs", "psutil", "filelock")
CACHES = {"__pycache__", ".mypy_cache", ".ruff_cache"}
KIT = (
    ".env",
    "deploy/compose",
    "deploy/demo",
    "docker-compose.yml",
    "fluentbit",
    "grafana",
    "loki",
)


def build(folder: Path, target: str, into: Path) -> Path:
    """The distribution that hatchling builds from the package in `folder`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (built,) = into.iterdir()
    return built


def kit_files() -> set[str]:
    """The files of the checkout that `lokikit up` reads."""
    found = [one for name in KIT for one in ((kit_root() / name), *(kit_root() / name).rglob("*"))]
    files = [one.relative_to(kit_root()) for one in found if one.is_file()]
    return {str(one) for one in files if not CACHES.intersection(one.parts)}


def carried(wheel: Path) -> set[str]:
    """The kit's files in `wheel`."""
    names = zipfile.ZipFile(wheel).namelist()
    return {name.removeprefix("lokikit/_kit/") for name in names if "/_kit/" in name}


def test_wheel_carries_the_kit(tmp_path: Path) -> None:
    """Every file that the stack reads is in the wheel, byte for byte, and nothing else."""
    wheel = build(kit_root() / "pylib", "wheel", tmp_path)
    assert carried(wheel) == kit_files()
    with zipfile.ZipFile(wheel) as archive:
        for name in kit_files():
            assert archive.read(f"lokikit/_kit/{name}") == (kit_root() / name).read_bytes(), name


def test_wheel_from_the_sdist_is_the_same(tmp_path: Path) -> None:
    """A wheel that is built from the sdist, away from any checkout, holds the same files."""
    source = build(kit_root() / "pylib", "sdist", tmp_path / "sdist")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    wheels = [
        build(folder, "wheel", tmp_path / name)
        for name, folder in (("one", kit_root() / "pylib"), ("two", unpacked))
    ]
    names = [sorted(zipfile.ZipFile(wheel).namelist()) for wheel in wheels]
    assert names[0] == names[1]


def light(code: str) -> subprocess.CompletedProcess[str]:
    """What `code` does where the packages of the command line are not installed."""
    without = f"import sys; sys.modules.update(dict.fromkeys({COMMAND_LINE_ONLY!r}))\n"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", without + code],
        capture_output=True,
        text=True,
        check=False,
    )


def test_light_install_logs() -> None:
    """Without any extra, the one call sets up logging that writes JSON."""
    done = light(
        "import logging, lokikit\nlokikit.setup_json_logging('api', log_format='json')\n"
        "logging.info('hello')"
    )
    assert '"message":"hello"' in done.stdout, done.stderr


def test_light_install_names_the_extra() -> None:
    """Without its extra, the command is one line that says what to install."""
    done = light("import runpy; runpy.run_module('lokikit', run_name='__main__')")
    assert done.returncode == 1
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "pip install 'lokikit[cli]'" in done.stderr
