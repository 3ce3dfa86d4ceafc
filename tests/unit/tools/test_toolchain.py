from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.tools.toolchain import (
    Disk,
    Toolchain,
    check_disk,
    check_go,
)

from lokikit.errors import PrerequisiteError

DISK = Disk(modules_bytes=2_400_000_000, compiled_bytes=2_300_000_000, result_bytes=500_000_000)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A Go module that asks for Go 1.26.5."""
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module x\n\ngo 1.26.5\n")
    return folder


def _fake_go(tmp_path: Path, version: str, toolchain: str) -> dict[str, str]:
    """An environment whose Go says that it is of `version`: an old one cannot be had here."""
    values = {"GOVERSION": version, "GOTOOLCHAIN": toolchain, "GOMODCACHE": "/m", "GOCACHE": "/c"}
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "go"
    program.write_text(f"#!/bin/sh\nprintf '%s' '{json.dumps(values)}'\n")
    program.chmod(0o755)
    return {"PATH": str(folder)}


def test_no_go(module: Path) -> None:
    """Without Go the sentence says so and where to get it."""
    with pytest.raises(PrerequisiteError, match=r"not on PATH: install it from .* \(1\.26\.5"):
        check_go(module, "loki", {"PATH": ""})


def test_old_go(module: Path, tmp_path: Path) -> None:
    """A Go that is too old and must not fetch another is named with both versions."""
    environ = _fake_go(tmp_path, "go1.25.9", "local")
    with pytest.raises(PrerequisiteError, match=r"needs Go 1\.26\.5 .* is go1\.25\.9: .*auto"):
        check_go(module, "loki", environ)


@pytest.mark.parametrize(
    ("version", "toolchain"),
    [("go1.26.5", "local"), ("go1.27rc1", "local"), ("go1.21.0", "auto"), ("devel +abc", "local")],
)
def test_good_go(module: Path, tmp_path: Path, version: str, toolchain: str) -> None:
    """A Go that is new enough, or that fetches a newer one by itself, passes."""
    assert check_go(module, "loki", _fake_go(tmp_path, version, toolchain)).module_cache == Path(
        "/m"
    )


def test_broken_go(module: Path, tmp_path: Path) -> None:
    """A Go that fails is an error with what it said."""
    environ = _fake_go(tmp_path, "go1.26.5", "local")
    (tmp_path / "bin/go").write_text("#!/bin/sh\necho 'cannot find GOROOT' >&2\nexit 2\n")
    with pytest.raises(PrerequisiteError, match="cannot find GOROOT"):
        check_go(module, "loki", environ)


def _caches(tmp_path: Path) -> tuple[Toolchain, Path]:
    return Toolchain(Path("go"), tmp_path / "m", tmp_path / "c", ""), tmp_path / "target"


def test_little_disk(tmp_path: Path) -> None:
    """Too little disk is refused beforehand, with what is needed and what is there."""
    toolchain, target = _caches(tmp_path)
    with pytest.raises(PrerequisiteError, match=r"up to 7\.5 GB .* and 5\.0 GB are free"):
        check_disk(toolchain, target, "loki", DISK, lambda _: SimpleNamespace(free=5_000_000_000))


def test_enough_disk(tmp_path: Path) -> None:
    """Exactly what a cold build writes is enough."""
    toolchain, target = _caches(tmp_path)
    cold = DISK.modules_bytes + 2 * DISK.compiled_bytes + DISK.result_bytes
    check_disk(toolchain, target, "loki", DISK, lambda _: SimpleNamespace(free=cold))


def test_filled_caches_need_less(tmp_path: Path) -> None:
    """What the caches hold already is not asked for again."""
    toolchain, target = _caches(tmp_path)
    for folder, size in (
        (toolchain.module_cache, DISK.modules_bytes),
        (toolchain.build_cache, DISK.compiled_bytes),
    ):
        folder.mkdir()
        with (folder / "sparse").open("wb") as file:
            file.truncate(size)
    check_disk(toolchain, target, "loki", DISK, lambda _: SimpleNamespace(free=DISK.result_bytes))
