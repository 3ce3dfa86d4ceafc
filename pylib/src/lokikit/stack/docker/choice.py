"""Which runtime `lokikit up` uses, and why."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.errors import PrerequisiteError
from lokikit.stack.compose_file import pulled_images
from lokikit.stack.docker.compose import compose_command
from lokikit.stack.docker.engine import daemon_problem, has_image, pull

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


@dataclass(frozen=True)
class RuntimeChoice:
    """A runtime and the reason for it.

    Args:
        runtime: `docker` or `native`.
        reason: ends the sentence "it is chosen because".
        compose: how to run Compose; empty for `native`.
    """

    runtime: str
    reason: str
    compose: tuple[str, ...] = ()


def choose(
    asked: str, running: str | None, console: Console, environ: Mapping[str, str] = os.environ
) -> RuntimeChoice:
    """The runtime for `up`; images that are missing are pulled on the way.

    Args:
        asked: what `RUNTIME` says: `auto`, `docker` or `native`.
        running: the runtime of a stack that is up already.
        console: shows what is pulled.
        environ: the environment that Docker's command line runs in.

    Raises:
        PrerequisiteError: Docker is asked for and cannot be used.
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
    """How to run Compose, once the daemon answers and all images are here."""
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
