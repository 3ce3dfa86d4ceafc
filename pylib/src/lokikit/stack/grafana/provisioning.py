"""The folder that Grafana is provisioned from: the kit's files and the contact points."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from lokikit.stack.grafana.contacts import KINDS, contact_file, read_contacts
from lokikit.stack.grafana.password import grafana_password
from lokikit.stack.kit_files import kit_root

CONTACT_FILE = "alerting/contact-points.yaml"
DASHBOARDS = "GRAFANA_DASHBOARDS"
"""Variable of Grafana's environment: the folder of the dashboards."""
_EVER = "contact-points-ever"
_READABLE_FILE, _READABLE_FOLDER = 0o644, 0o755


def provisioning_folder(state: Path) -> Path:
    """Return the folder that `provision` writes."""
    return state / "grafana/provisioning"


def plugins_folder(state: Path) -> Path:
    """Return the folder in which a Grafana of this machine looks for plugins; it is empty."""
    return state / "grafana/plugins"


def smtp_password_file(state: Path) -> Path:
    """Return the file of the mail server's password; the file is empty without a password."""
    return state / "grafana/smtp-password"


def dashboards_folder() -> Path:
    """Return the folder of the dashboards."""
    return kit_root() / "grafana/dashboards"


def provision(state: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Write the folder that Grafana starts with, and return it.

    All users may read the files, because Grafana's user in a container is no user of this
    machine; the folder around them is closed to everybody else.

    Raises:
        SettingsError: an `ALERT_*` variable is wrong; the folder stays as it was.
    """
    contacts = read_contacts(environ)
    files = provisioning_files(environ, _ever(state))
    grafana_password(state)  # makes the closed folder
    _write(smtp_password_file(state), contacts.smtp_password.encode())
    _write(state / "grafana" / _EVER, " ".join({*_ever(state), *contacts.ways}).encode())
    folder = provisioning_folder(state)
    for old in sorted(folder.rglob("*"), reverse=True):
        if old.is_file() and old.relative_to(folder).as_posix() not in files:
            old.unlink()
    for name, content in files.items():
        _write(folder / name, content)
    # Grafana logs errors at each start where its folder for plugins is missing.
    plugins_folder(state).mkdir(exist_ok=True)
    return folder


def provisioning_files(environ: Mapping[str, str], before: frozenset[str]) -> dict[str, bytes]:
    """Return name below the folder -> content of each file.

    Args:
        environ: holds the `ALERT_*` variables.
        before: the kinds of contact that this Grafana has ever had.
    """
    kit = kit_root() / "grafana/provisioning"
    paths = [path for path in sorted(kit.rglob("*")) if path.is_file()]
    files = {path.relative_to(kit).as_posix(): path.read_bytes() for path in paths}
    if contacts := contact_file(read_contacts(environ), before):
        text = yaml.safe_dump(contacts, sort_keys=False, allow_unicode=True)
        files[CONTACT_FILE] = text.encode()
    return files


def smtp_variables(environ: Mapping[str, str], password_file: Path) -> dict[str, str]:
    """Return Grafana's settings for sending mail, as variables; none without mail.

    Args:
        environ: holds the `ALERT_*` variables.
        password_file: path, as Grafana sees it, of the file of `smtp_password_file`.
    """
    contacts = read_contacts(environ)
    if not contacts.mail_to:
        return {}
    variables = {
        "GF_SMTP_ENABLED": "true",
        "GF_SMTP_HOST": contacts.smtp_host,
        "GF_SMTP_FROM_ADDRESS": contacts.smtp_from,
    }
    if contacts.smtp_user:
        variables |= {
            "GF_SMTP_USER": contacts.smtp_user,
            # Grafana expands a $ in a variable, but not in a file.
            "GF_SMTP_PASSWORD": f"$__file{{{password_file}}}",
        }
    return variables


def _ever(state: Path) -> frozenset[str]:
    try:
        return frozenset((state / "grafana" / _EVER).read_text(encoding="utf-8").split()) & {*KINDS}
    except OSError:
        return frozenset()


def _write(file: Path, content: bytes) -> None:
    for folder in reversed(file.parents):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(_READABLE_FOLDER)
    file.write_bytes(content)
    file.chmod(_READABLE_FILE)
