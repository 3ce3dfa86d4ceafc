"""The Makefile on a machine that lacks something: a sentence with the fix, exit code 3."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pip
import pytest

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Mapping

MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not on PATH")


def make_up(folder: Path, python: str, **variables: str) -> str:
    """Run `make up` in a copy of the Makefile under a path with a space; return what it printed."""
    checkout = folder / "a b"
    (checkout / "pylib").mkdir(parents=True)
    for name in ("Makefile", "pylib/pyproject.toml"):
        shutil.copy(kit_root() / name, checkout / name)
    done = subprocess.run(
        [str(MAKE), "up", f"PYTHON={python}"],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode != 0
    return done.stdout


def stand_in(folder: Path, body: str) -> str:
    """Write a program that stands for a Python; return its path."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return str(program)


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    """The Python that runs this poses as 3.8, by a first statement before each of its own."""
    old = f"""exec {sys.executable} -c "import sys; sys.version_info = (3, 8, 18); $2" """
    result = make_up(tmp_path, stand_in(tmp_path, old))
    assert "Python 3.8 is too old" in result
    assert "install Python 3.10 or newer" in result
    assert "Error 3" in result
    assert not (tmp_path / "a b/.venv").exists()


@pytest.mark.parametrize("kind", ["without venv", "absent"])
def test_a_python_that_makes_no_environment_is_named(tmp_path: Path, kind: str) -> None:
    program = "no-such-python"
    if kind == "without venv":
        program = stand_in(tmp_path, f'[ "$2" = venv ] && exit 1; exec {sys.executable} "$@"')
    result = make_up(tmp_path, program)
    assert "with its venv module (Debian: python3-venv)" in result
    assert "Error 3" in result


def test_a_pip_without_network_is_pointed_to_mirror_proxy_and_wheels(tmp_path: Path) -> None:
    """Pip is that of this environment: to install it costs more than the rest of the test."""
    away = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    program = stand_in(
        tmp_path,
        f'[ "$2" = venv ] && exec {sys.executable} -m venv --without-pip "$4"\n'
        f'exec {sys.executable} "$@"',
    )
    packages = str(Path(pip.__file__).parents[1])
    result = make_up(tmp_path, program, **away, PIP_NO_CACHE_DIR="1", PYTHONPATH=packages)
    assert "PIP_INDEX_URL names a mirror, HTTPS_PROXY a proxy, PIP_FIND_LINKS" in result
    assert "Error 3" in result


@pytest.mark.parametrize(
    ("said", "variables", "fix"),
    [
        pytest.param(
            "SSLError(SSLCertVerificationError(1, [SSL: CERTIFICATE_VERIFY_FAILED] certificate",
            {},
            "PIP_CERT=/path/ca.pem",
            id="an authority that pip does not know",
        ),
        pytest.param(
            "OSError: Could not find a suitable TLS CA certificate bundle, invalid path: /ca.pem",
            {},
            "PIP_CERT=/path/ca.pem",
            id="no file of certificates",
        ),
        pytest.param(
            "ProxyError(Cannot connect to proxy., OSError(Tunnel connection failed: 407",
            {},
            "HTTPS_PROXY or HTTP_PROXY",
            id="a proxy of pip 24 refuses",
        ),
        pytest.param(
            "NewConnectionError(HTTPSConnection(host=127.0.0.1, port=9): Connection refused",
            {"HTTPS_PROXY": "http://127.0.0.1:9"},
            "HTTPS_PROXY or HTTP_PROXY",
            id="a proxy of pip 26 is away",
        ),
        pytest.param("OSError: [Errno 28] No space left on device", {}, "make room", id="disk"),
    ],
)
def test_what_pip_says_ends_in_a_sentence_with_the_fix(
    tmp_path: Path, said: str, variables: Mapping[str, str], fix: str
) -> None:
    """An environment whose pip says what pip says, which was tried with a server of each kind."""
    failing = f"#!/bin/sh\necho '{said}' >&2\nexit 1\n"
    (tmp_path / "pip").write_text(failing)
    python = f"""[ "$2" = venv ] || exec {sys.executable} "$@"
mkdir -p .venv/bin && cp {tmp_path}/pip .venv/bin/python && chmod +x .venv/bin/python"""
    result = make_up(tmp_path, stand_in(tmp_path, python), **variables)
    sentence = result.partition("lokikit: pip could not install it: ")[2].splitlines()[0]
    assert fix in sentence
    assert said in result
    assert "pip failed" not in result
    assert "Error 3" in result


def test_what_is_imported_is_compiled_once(tmp_path: Path) -> None:
    """Also where the image says that compiled modules are not kept."""
    program = stand_in(tmp_path, 'echo "kept: ${PYTHONDONTWRITEBYTECODE-yes}"; exit 1')
    assert "kept: yes" in make_up(tmp_path, program, PYTHONDONTWRITEBYTECODE="1")


def test_uv_leaves_the_network_alone_where_pip_has_to() -> None:
    """`--dry-run` prints the command, which names the folder of wheels alone."""
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}
    printed = subprocess.run(
        [str(MAKE), "--dry-run", "--always-make", "test"],
        cwd=kit_root(),
        env={"PATH": "/usr/bin:/bin", **offline},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "/uv pip install" in printed
    assert "--no-index --find-links /wheels --require-hashes --requirement" in printed
    assert "--no-index --find-links /wheels --editable" in printed
