from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lokikit.cli import app
from lokikit.errors import LokikitError, PrerequisiteError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """The exit code of `lokikit` with these arguments."""
    monkeypatch.setattr("sys.argv", ["lokikit", *arguments])
    with pytest.raises(SystemExit) as ended:
        app.main()
    return ended.value.code


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["query"], ["query", "--nonsense"], ["query", "--limit", "-1", "x"]]
)
def test_wrong_usage_is_one_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong command line is one line on stderr that names the help, and exit code 2."""
    assert run(monkeypatch, *arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("lokikit: ")
    assert "--help" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["query", "{}", "--since", "soon"],
        ["query", "{}", "--from", "1h", "--since", "1h"],
        ["tail", "{}", "--since", "soon"],
        ["check", "--timeout", "soon"],
        ["query", "{}", "--step", "1m"],
    ],
)
def test_wrong_values_are_one_line(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A value that means nothing is one line on stderr, and exit code 2, before Loki is asked."""
    assert run(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_help_tells_all(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without arguments the help is shown: each command, and each exit code of the errors."""
    assert run(monkeypatch) == 0
    out = capsys.readouterr().out
    for command in ("up", "down", "status", "check", "query", "tail", "ship"):
        assert f" {command} " in out
    for error in LokikitError.__subclasses__():
        assert f" {error.exit_code} " in out


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` says it and ends well."""
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("lokikit ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is of Linux")
def test_a_full_disk_is_one_line_with_the_fix() -> None:
    """Whatever writes where no room or no permission is: no traceback, and exit code 3."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lokikit", "logql", "fmt", "1"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == PrerequisiteError.exit_code
    assert done.stderr.startswith("lokikit: No space left on device: make room")
    assert done.stderr.count("\n") == 1


def test_a_working_folder_that_was_removed_is_one_line_with_the_fix(tmp_path: Path) -> None:
    """As after a checkout was made anew, of whose old folder a shell is still in."""
    gone = "import os, sys; os.rmdir(os.getcwd()); from lokikit.cli.app import main; main()"
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", gone, "query", "{}"],
        cwd=tmp_path / "gone",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == PrerequisiteError.exit_code
    assert done.stderr == "lokikit: the working folder was removed: go to another one with cd.\n"


def test_a_closed_stdout_is_no_error() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m lokikit logql fmt 1 >&-', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_light_install_names_the_extra() -> None:
    code = "import sys; sys.modules['typer'] = None; import lokikit.cli.app"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == PrerequisiteError.exit_code
    assert done.stderr.endswith("pip install 'lokikit[cli]'\n")


_INTERRUPTED_IMPORT = """
import sys
class Busy:
    def find_spec(self, name, *_):
        if name == module:
            raise KeyboardInterrupt
module = sys.argv[1]
sys.meta_path.insert(0, Busy())
import lokikit.cli.app
sys.argv[1:] = ["query", "{}"]
lokikit.cli.app.main()
"""


@pytest.mark.parametrize("module", ["typer", "lokikit.cli.query"])
def test_an_import_that_is_interrupted_prints_no_traceback(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_IMPORT, module],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "")


def test_an_interrupted_up_names_what_runs_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("LOKIKIT_STATE", str(tmp_path))
    monkeypatch.setattr("lokikit.cli.stack.choose", interrupt)
    assert run(monkeypatch, "up") == 130
    assert "parts that were started run on" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "code"), [("up", 3), ("ship", 3), ("--version", 0)])
def test_windows_is_named_where_a_command_needs_another_system(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    code: int,
) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    assert run(monkeypatch, command) == code
    text = f"lokikit: {command} needs Linux or macOS: run it in WSL or a container.\n"
    assert capsys.readouterr().err == (text if code else "")
