"""Grafana's password: made once, kept in the state folder, never the same on two machines."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = 15


def password_file(state: Path) -> Path:
    """Where the password of the stack in `state` is."""
    return state / "grafana/password"


def grafana_password(state: Path) -> str:
    """The password of Grafana's `admin`; the first call makes it.

    Grafana's user is none of this machine, so the file can be read by all; nobody else gets
    through the folder that it is in.
    """
    file = password_file(state)
    if not file.is_file():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.parent.chmod(0o700)
        file.write_text(secrets.token_urlsafe(_BYTES))
        file.chmod(0o644)
    return file.read_text()
