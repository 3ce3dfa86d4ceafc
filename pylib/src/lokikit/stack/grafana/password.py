"""Grafana's password: made once, kept in the state folder, different on each machine."""

from __future__ import annotations

import secrets
from pathlib import Path

_BYTES = 15


def password_file(state: Path) -> Path:
    """Return the file of the password of the stack in `state`."""
    return state / "grafana/password"


def grafana_password(state: Path) -> str:
    """Return the password of Grafana's `admin`; the first call makes it.

    All users may read the file, because Grafana's user in a container is no user of this machine;
    the folder around it is closed to everybody else.
    """
    file = password_file(state)
    if not file.is_file():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.parent.chmod(0o700)
        file.write_text(secrets.token_urlsafe(_BYTES), encoding="utf-8")
        file.chmod(0o644)
    return file.read_text(encoding="utf-8")
