"""Loki as one process: its command line, its environment, whether it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from lokikit.kit import kit_root

if TYPE_CHECKING:
    from pathlib import Path

_ASK_TIMEOUT_S = 2


def config_file() -> Path:
    """The configuration that every runtime shares."""
    return kit_root() / "loki/loki.yaml"


def loki_command(program: Path) -> list[str]:
    """The command line that runs `program` with the kit's configuration."""
    return [str(program), f"-config.file={config_file()}", "-config.expand-env=true"]


def loki_variables(data: Path, http_port: int, grpc_port: int) -> dict[str, str]:
    """What the configuration file reads from the environment on this machine."""
    return {
        "LOKI_BIND": "127.0.0.1",
        "LOKI_DATA": str(data),
        "LOKI_PORT": str(http_port),
        "LOKI_GRPC_PORT": str(grpc_port),
    }


def is_ready(url: str) -> bool:
    """Whether Loki at `url` takes pushes and answers queries."""
    try:
        return requests.get(f"{url}/ready", timeout=_ASK_TIMEOUT_S).ok
    except requests.RequestException:
        return False
