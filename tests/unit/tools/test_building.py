"""Building the programs with the real Go: what is refused, and what is left after an end."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from rich.console import Console
from tests.tools.building import Build, build_lock
from tests.tools.programs import HELM
from tests.waiting import eventually

from lokikit.errors import PrerequisiteError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None, reason="BUILDING IS NOT TESTED: there is no Go on PATH"
)
RUN = """
import sys
from pathlib import Path
from rich.console import Console
from tests.tools.building import Build, build_lock
module, target, package = map(Path, sys.argv[1:])
with build_lock(target, Console()):
    Build({"hello": str(package)}, "1.2.3", module, target).run(Console())
"""
HELLO = """package main

import "fmt"

func main() { fmt.Println("hello") }
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module that cannot be written to, with one small program."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module hello.invalid/hello\n\ngo 1.21\n")
    (folder / "main.go").write_text(HELLO)
    folder.chmod(0o555)
    return folder


def start(module: Path, target: Path, **variables: str) -> subprocess.Popen[str]:
    """A process of its own that builds the module's program into `target`."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(module), str(target), "hello.invalid/hello"],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left_in(target: Path) -> set[str]:
    """What a build left beside its log and its lock."""
    return {one.name for one in target.iterdir()} - {"build.log", ".lock"}


def test_build_leaves_the_program(module: Path, tmp_path: Path) -> None:
    """A build from a read-only module leaves the program that runs, and nothing else."""
    target = tmp_path / "target"
    output, errors = start(module, target).communicate()
    assert "Built hello 1.2.3" in output, errors
    assert left_in(target) == {"hello"}
    assert subprocess.run([target / "hello"], capture_output=True, check=True).stdout == b"hello\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_build_leaves_nothing(
    module: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """After Ctrl-C or SIGTERM there is no program, no scratch folder and no compiler."""
    target = tmp_path / "target"
    process = start(module, target, GOCACHE=str(tmp_path / "cold"))
    compilers = eventually(lambda: psutil.Process(process.pid).children(recursive=True))
    eventually(lambda: (target / "build.log").is_file() and left_in(target))
    process.send_signal(number)
    process.communicate()
    assert process.returncode != 0
    assert left_in(target) == set()
    eventually(lambda: not [one for one in compilers if one.is_running()])


def test_leftovers_of_a_killed_build_are_removed(module: Path, tmp_path: Path) -> None:
    """The next build clears what a killed one could not."""
    target = tmp_path / "target"
    (target / "unfinished-abc").mkdir(parents=True)
    start(module, target).communicate()
    assert left_in(target) == {"hello"}


def test_second_builder_waits(module: Path, tmp_path: Path) -> None:
    """While one builds, another says that it waits, and goes on afterwards."""
    target = tmp_path / "target"
    with build_lock(target, Console(file=io.StringIO())):
        second = start(module, target)
        assert second.stdout is not None
        assert "waiting" in second.stdout.readline()
        assert left_in(target) == set()
    second.communicate()
    assert left_in(target) == {"hello"}


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "off"])
def test_no_network_is_one_sentence(tmp_path: Path, proxy: str) -> None:
    """Without a way to the modules, the sentence names GOPROXY and what to do."""
    cold = {"GOMODCACHE": str(tmp_path / "mod"), "GOFLAGS": "-modcacherw", "GOPROXY": proxy}
    environ = {**os.environ, **cold}
    target = tmp_path / "target"
    target.mkdir()
    build = Build({"helm": HELM.packages["helm"]}, HELM.version, HELM.path, target, environ)
    with pytest.raises(PrerequisiteError, match=f"GOPROXY={proxy}.* go online, set GOPROXY"):
        build.run(Console(file=io.StringIO()))
    assert left_in(target) == set()


def test_failed_build_names_its_log(module: Path, tmp_path: Path) -> None:
    """A compiler's error is passed on in one sentence, with the file that has all of it."""
    module.chmod(0o755)
    (module / "main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    target = tmp_path / "target"
    target.mkdir()
    build = Build({"hello": "hello.invalid/hello"}, "1", module, target)
    with pytest.raises(PrerequisiteError, match=r"undefined: nonsense.*build\.log"):
        build.run(Console(file=io.StringIO()))
