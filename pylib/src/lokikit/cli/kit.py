"""`lokikit init` and `lokikit chart`: copies of the kit's files for the user to change."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated

import typer

from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.stack.kit_files import KIT_FILES, KIT_MARK, own_root

_MARK_TEXT = "This folder holds the files that `lokikit up` runs from when it is called here.\n"
_WITHOUT_CACHES = shutil.ignore_patterns("__pycache__", ".*_cache")
_CHART = "deploy/chart"
_PROFILES = "ci"
"""Folder of the chart for Helm's own tests; a user gets it as `profiles`."""

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")]


def init(folder: Folder) -> None:
    """Write the kit's files to a folder of yours, where you may change them.

    The files are those of the stack: Compose file, configurations of Loki and the agent,
    dashboards, alert rules and `.env`. `lokikit up` uses them when it is called in that folder, or
    with `LOKIKIT_KIT=DIR`.
    """
    _require_empty(folder)
    for name in KIT_FILES:
        _copy(own_root() / name, folder / name)
    (folder / KIT_MARK).write_text(_MARK_TEXT, encoding="utf-8")
    typer.echo(f"Wrote the kit to {folder}. Change what you like there, then:")
    typer.echo(f"  cd {folder} && lokikit up")


def chart(folder: Folder) -> None:
    """Write the Helm chart to a folder, whole and ready for `helm install`.

    Values to begin with are in its folder `profiles`: `--values DIR/profiles/ha.yaml`.
    """
    _require_empty(folder)
    source = own_root() / _CHART
    _copy(source, folder, _ignored_by_helm(source))
    _copy(source / _PROFILES, folder / "profiles")
    typer.echo(f"Wrote the chart to {folder}:")
    typer.echo(f"  helm install lokikit {folder} --namespace logging --create-namespace")


def _ignored_by_helm(chart_root: Path) -> Callable[[str, list[str]], set[str]]:
    """Return what `shutil.copytree` leaves out: the files that Helm does not package either."""
    lines = (chart_root / ".helmignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.rstrip("/") for line in lines if line and not line.startswith("#")]

    def ignored(folder: str, names: list[str]) -> set[str]:
        place = Path(folder).relative_to(chart_root)
        return {
            name
            for name in names
            if any(fnmatch(name, one) or fnmatch(f"{place}/{name}", one) for one in patterns)
        }

    return ignored


def _require_empty(folder: Path) -> None:
    """Return when `folder` holds no file.

    Raises:
        SettingsError: the folder holds files, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} is there and not empty: name a new folder.")


def _copy(
    source: Path,
    target: Path,
    ignored: Callable[[str, list[str]], set[str]] = _WITHOUT_CACHES,
) -> None:
    """Copy a file or a folder; links become copies of their targets."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=ignored)
        else:
            shutil.copy2(source, target)
    except OSError as error:
        raise PrerequisiteError(
            f"cannot write {target}: {error.strerror or error}; name another folder."
        ) from error
