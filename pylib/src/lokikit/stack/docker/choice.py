"""The choice of the runtime of `lokikit up`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.errors import PrerequisiteError
from lokikit.stack.compose_file import pulled_images
from lokikit.stack.docker.compose import compose_command
from lokikit.stack.docker.engine import daemon_problem, has_image, pull

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class RuntimeChoice:
    """A runtime and the reason for it.

    Args:
        runtime: `docker` or `native`.
        reason: end of the sentence "it is chosen because".
        compose: command that runs Compose; empty for `native`.
    """

    runtime: str
    reason: str
    compose: tuple[str, ...] = ()


def choose(
    asked: str, running: str | None, console: Console, environ: Mapping[str, str] = os.environ
) -> RuntimeChoice:
    """Return the runtime for `up`; missing images are pulled.

    Args:
        asked: value of `RUNTIME`: `auto`, `docker` or `native`.
        running: runtime of a stack that is up.
        console: prints which images are pulled.
        environ: environment of Docker's command line.

    Raises:
        PrerequisiteError: `RUNTIME` is `docker`, and Docker cannot be used.
    """
    wanted = running if asked == "auto" and running else asked
    if wanted == "native":
        return RuntimeChoice("native", "it is up already" if asked == "auto" else "RUNTIME=native")
    try:
        compose = _prepare(console, environ)
    except PrerequisiteError as error:
        if wanted == "docker":
            raise PrerequisiteError(f"{error}, or use RUNTIME=native.") from error
        return RuntimeChoice("native", str(error))
    reasons = {"docker": "RUNTIME=docker", "auto": "its daemon answers and the images are here"}
    return RuntimeChoice(
        "docker", "it is up already" if asked != wanted else reasons[asked], compose
    )


def _prepare(console: Console, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command that runs Compose, when the daemon answers and all images are here."""
    if problem := daemon_problem(environ):
        raise PrerequisiteError(problem)
    for image in pulled_images(environ):
        if not has_image(image, environ):
            console.print(f"Pulling {image}")
            if problem := pull(image, environ):
                raise PrerequisiteError(
                    f"the image {image} is neither here nor can it be pulled ({problem}): see "
                    "to its version and REGISTRY in .env"
                )
    return compose_command(environ)
