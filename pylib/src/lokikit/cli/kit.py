"""`lokikit init` and `lokikit chart`: copies of the kit's files for the user to change."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.stack.kit_files import KIT_FILES, KIT_MARK, kit_root

_MARK_TEXT = "This folder holds the files that `lokikit up` runs from when it is called here.\n"
_LEFT_OUT = shutil.ignore_patterns("__pycache__")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")]


def init(folder: Folder) -> None:
    """Write the kit's files to a folder of yours, where you may change them.

    The files are those of the stack: Compose file, configurations of Loki and the agent,
    dashboards, alert rules and `.env`. `lokikit up` uses them when it is called in that folder, or
    with `LOKIKIT_KIT=DIR`.
    """
    _require_empty(folder)
    for name in KIT_FILES:
        _copy(kit_root() / name, folder / name)
    (folder / KIT_MARK).write_text(_MARK_TEXT)
    typer.echo(f"Wrote the kit to {folder}. Change what you like there, then:")
    typer.echo(f"  cd {folder} && lokikit up")


def chart(folder: Folder) -> None:
    """Write the Helm chart to a folder, whole and ready for `helm install`."""
    _require_empty(folder)
    _copy(kit_root() / "deploy/chart", folder)
    typer.echo(f"Wrote the chart to {folder}:")
    typer.echo(f"  helm install lokikit {folder} --namespace logging --create-namespace")


def _require_empty(folder: Path) -> None:
    """Return when `folder` holds no file.

    Raises:
        SettingsError: the folder holds files, or is a file.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} is there and not empty: name a new folder.")


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; links become copies of their targets."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=_LEFT_OUT)
        else:
            shutil.copy2(source, target)
    except OSError as error:
        raise PrerequisiteError(
            f"cannot write {target}: {error.strerror or error}; name another folder."
        ) from error
