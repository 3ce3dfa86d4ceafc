from __future__ import annotations

import subprocess
import sys

import pytest

import lokikit
from lokikit import _HOME


def test_every_public_name_has_its_module() -> None:
    """`__all__` names exactly what can be imported."""
    assert set(lokikit.__all__) == set(_HOME)


@pytest.mark.parametrize("name", lokikit.__all__)
def test_public_names_can_be_imported(name: str) -> None:
    """Each public name is there when it is asked for."""
    assert getattr(lokikit, name) is not None


def test_unknown_names_are_no_attributes() -> None:
    """Anything else is an `AttributeError`, as of any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lokikit.nothing


def test_the_import_itself_loads_nothing() -> None:
    """`import lokikit` imports none of its modules, and no package that it depends on."""
    code = "import sys, lokikit; print([one for one in sys.modules if one.startswith('lokikit.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["Loki", "logs", "task_runs", "LokiHandler"])
def test_the_extra_is_named_where_it_is_missing(name: str) -> None:
    """Without the packages of its extra, a name says what to install."""
    code = f"import sys; sys.modules['requests'] = None; import lokikit; lokikit.{name}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"ImportError: {name} needs its extra: pip install 'lokikit[" in done.stderr


def test_asking_needs_nothing_of_the_command_line() -> None:
    """The extra `query` is enough for the client, and none at all for what tests capture."""
    others = ("typer", "rich", "dotenv", "platformdirs", "filelock", "logging_loki")
    code = f"import sys; sys.modules.update(dict.fromkeys({others}))\n"
    code += "import lokikit, lokikit.testing.captured_logs\n"
    code += "lokikit.Loki, lokikit.logs, lokikit.task_runs"
    subprocess.run([sys.executable, "-c", code], check=True)
