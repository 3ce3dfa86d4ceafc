"""What is published: the wheel, also when it is built from the sdist, and the light install."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from lokikit.stack.kit_files import KIT_FILES, kit_root

COMMAND_LINE_ONLY = ("typer", "rich", "requests", "dotenv", "platformdirs", "psutil", "filelock")
IGNORED = "W002,W004"
"""The chart carries the kit's files where Helm wants them, and the demo is no package."""
CACHES = {"__pycache__", ".mypy_cache", ".ruff_cache"}
KIT = (*KIT_FILES, "deploy/chart")


def build(folder: Path, target: str, into: Path) -> Path:
    """The distribution that hatchling builds from the package in `folder`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (built,) = into.iterdir()
    return built


def kit_files() -> set[str]:
    """The files of the checkout that `lokikit up` reads, and those of the chart, links followed."""
    found = [kit_root() / name for name in KIT]
    for name in KIT:
        for folder, _, names in os.walk(kit_root() / name, followlinks=True):
            found += [Path(folder, one) for one in names]
    files = [one.relative_to(kit_root()) for one in found if one.is_file()]
    return {str(one) for one in files if not CACHES.intersection(one.parts)}


def carried(wheel: Path) -> set[str]:
    """The kit's files in `wheel`."""
    names = zipfile.ZipFile(wheel).namelist()
    return {name.removeprefix("lokikit/_kit/") for name in names if "/_kit/" in name}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    return build(kit_root() / "pylib", "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of this checkout."""
    return build(kit_root() / "pylib", "sdist", tmp_path_factory.mktemp("sdist"))


def test_wheel_carries_the_kit(wheel: Path) -> None:
    """Every file that the stack reads is in the wheel, byte for byte, and nothing else."""
    assert carried(wheel) == kit_files()
    with zipfile.ZipFile(wheel) as archive:
        for name in kit_files():
            assert archive.read(f"lokikit/_kit/{name}") == (kit_root() / name).read_bytes(), name


def test_wheel_from_the_sdist_is_the_same(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    """A wheel that is built from the sdist, away from any checkout, holds the same files."""
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    wheels = [wheel, build(unpacked, "wheel", tmp_path / "built")]
    names = [sorted(zipfile.ZipFile(one).namelist()) for one in wheels]
    assert names[0] == names[1]


def test_distributions_are_what_an_index_takes(wheel: Path, sdist: Path) -> None:
    """Twine finds the metadata whole, and check-wheel-contents nothing that does not belong."""
    for command in (
        ["twine", "check", "--strict", wheel, sdist],
        ["check_wheel_contents", f"--ignore={IGNORED}", wheel],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_metadata_lead_somewhere(wheel: Path) -> None:
    """An index shows who made it, for what, and under which licence."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Author"]
    assert metadata.get_all("Project-URL")
    assert len(metadata.get_all("Classifier") or ()) > 10


def test_wheel_runs_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, without a checkout, the command finds its kit and writes it."""
    # What it depends on is that of this environment: only the package itself is another one.
    venv.create(tmp_path / "venv", with_pip=False, system_site_packages=False)
    site = next((tmp_path / "venv/lib").glob("python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # noqa: S202 - the wheel is ours
    own = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(own))
    python = tmp_path / "venv/bin/python"
    done = subprocess.run(
        [python, "-I", "-m", "lokikit", "init", "kit"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kit/docker-compose.yml").read_bytes() == (
        kit_root() / "docker-compose.yml"
    ).read_bytes()


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
    assert done.returncode == 3
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    assert "pip install 'lokikit[cli]'" in done.stderr
