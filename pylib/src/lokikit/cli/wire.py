"""`lokikit wire`: puts the services of a Compose file on the pipeline."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from lokikit.errors import SettingsError
from lokikit.stack.docker.wiring import HEADER, Override, make_override

_OVERRIDES = ("docker-compose.override", "compose.override")
_SUFFIXES = (".yml", ".yaml")
_DONE = "They log to Loki once their containers are created again:"


ComposeFile = Annotated[
    Path, typer.Argument(metavar="COMPOSE_FILE", help="Your Compose file. It is only read.")
]
Service = Annotated[
    list[str] | None,
    typer.Option(
        help="Wire this service only, even when it has a logging driver. Can be repeated."
    ),
]
Write = Annotated[
    bool, typer.Option("--write", help="Save the override beside the file instead of printing it.")
]


def wire(compose_file: ComposeFile, service: Service = None, write: Write = False) -> None:  # noqa: FBT002 - typer reads the signature
    """Print the override file that sends the output of your own services to Loki.

    The override sets Docker's `fluentd` driver for each service, so that a container starts and
    runs while the agent is away, and a label with the service's name. `docker compose -f yours -f
    override up -d` applies it.
    """
    override = make_override(compose_file, service or ())
    for name, driver in override.left_out.items():
        typer.echo(f"Left out: {name} logs to {driver}; wire it with --service {name}.", err=True)
    if not write:
        typer.echo(override.text, nl=False)
        return
    target = compose_file.with_name(f"{compose_file.stem}.lokikit.yml")
    _save(override, target)
    files = [compose_file, *_automatic(compose_file), target]
    options = " ".join(f"-f {shlex.quote(_short(one))}" for one in files)
    typer.echo(f"Wrote {_short(target)} for {', '.join(override.wired)}. {_DONE}")
    typer.echo(f"  docker compose {options} up -d")


def _save(override: Override, target: Path) -> None:
    """Write the override, but never over a file that `wire` has not made.

    Raises:
        SettingsError: the file exists already, or cannot be written.
    """
    try:
        if target.exists() and not target.read_text(encoding="utf-8").startswith(HEADER):
            raise SettingsError(f"{target} is not a file of `lokikit wire`: move it away first.")
        target.write_text(override.text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"cannot write {target}: {error.strerror}; without --write the override is printed."
        ) from error


def _automatic(compose_file: Path) -> list[Path]:
    """Return the override files that Compose reads by itself, unless `-f` names files."""
    names = [stem + suffix for stem in _OVERRIDES for suffix in _SUFFIXES]
    found = [compose_file.with_name(name) for name in names]
    return [one for one in found if one.is_file() and one != compose_file]


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_absolute() else str(path)
