"""The images of the stack, by the names in the Compose file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lokikit.stack.kit_files import kit_env, kit_root
from lokikit.stack.yaml_text import load_yaml

_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def compose_file() -> Path:
    """Return the path of the kit's Compose file."""
    return kit_root() / "docker-compose.yml"


def read_compose_file() -> dict[str, Any]:
    """Return the content of the kit's Compose file, with its variables."""
    return dict(load_yaml(compose_file().read_text(encoding="utf-8")))


def filled(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return `text` with each `${NAME}` and `${NAME:-default}` replaced as Compose does."""
    values = kit_env(environ)
    return _VARIABLE.sub(lambda found: values.get(found[1]) or found[2] or "", text)


def pulled_images(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the images that are pulled from a registry."""
    services = read_compose_file()["services"].values()
    return sorted(
        {filled(service["image"], environ) for service in services if "build" not in service}
    )


def built_image(environ: Mapping[str, str] = os.environ) -> str:
    """Return the image that is built here, for the canary and the demo."""
    return filled(read_compose_file()["services"]["canary"]["image"], environ)
