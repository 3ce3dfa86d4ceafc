"""The folder that Grafana is provisioned from: the kit's files, and who is told of an alert."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import yaml

from lokikit.stack.grafana.checks import check_dashboards, check_provisioning
from lokikit.stack.grafana.contacts import KINDS, contact_file, read_contacts
from lokikit.stack.grafana.password import grafana_password
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONTACT_FILE = "alerting/contact-points.yaml"
DASHBOARDS = "GRAFANA_DASHBOARDS"
"""Variable of Grafana's environment: the folder of the dashboards."""
VARIABLES = (DASHBOARDS, "LOKI_URL", "LOKI_ORG_ID")
"""What the files take from Grafana's environment."""
_EVER = "contact-points-ever"
_READABLE_FILE, _READABLE_FOLDER = 0o644, 0o755


def provisioning_folder(state: Path) -> Path:
    """Where `provision` puts the files."""
    return state / "grafana/provisioning"


def smtp_password_file(state: Path) -> Path:
    """Where Grafana finds the password of the mail server; empty when there is none."""
    return state / "grafana/smtp-password"


def dashboards_folder() -> Path:
    """Where the dashboards are."""
    return kit_root() / "grafana/dashboards"


def provision(state: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder to start Grafana with, made anew and checked: one bad file stops Grafana.

    Like the password, the files can be read by all, as Grafana's user in a container is none of
    this machine; nobody else gets through the folder that they are in.

    Raises:
        SettingsError: a variable or a file means nothing.
    """
    files = provisioning_files(environ, _ever(state))
    check_provisioning(files, VARIABLES)
    check_dashboards({one.name: one.read_bytes() for one in dashboards_folder().glob("*.json")})
    grafana_password(state)  # makes the closed folder
    contacts = read_contacts(environ)
    _write(smtp_password_file(state), contacts.smtp_password.encode())
    _write(state / "grafana" / _EVER, " ".join({*_ever(state), *contacts.ways}).encode())
    folder = provisioning_folder(state)
    for old in sorted(folder.rglob("*"), reverse=True):
        if old.is_file() and old.relative_to(folder).as_posix() not in files:
            old.unlink()
    for name, content in files.items():
        _write(folder / name, content)
    return folder


def provisioning_files(environ: Mapping[str, str], before: frozenset[str]) -> dict[str, bytes]:
    """Name below the folder -> content of each file.

    Args:
        environ: says who is told of an alert.
        before: the ways in which somebody was ever told by this Grafana.
    """
    kit = kit_root() / "grafana/provisioning"
    found = [one for one in sorted(kit.rglob("*")) if one.is_file()]
    files = {one.relative_to(kit).as_posix(): one.read_bytes() for one in found}
    if told := contact_file(read_contacts(environ), before):
        files[CONTACT_FILE] = _yaml(told)
    return files


def smtp_variables(environ: Mapping[str, str], password_file: Path) -> dict[str, str]:
    """Grafana's settings for sending mail, as environment variables; none without mail.

    Args:
        environ: says who is told of an alert.
        password_file: where Grafana finds what `smtp_password_file` names here.
    """
    contacts = read_contacts(environ)
    if not contacts.mail_to:
        return {}
    told = {
        "GF_SMTP_ENABLED": "true",
        "GF_SMTP_HOST": contacts.smtp_host,
        "GF_SMTP_FROM_ADDRESS": contacts.smtp_from,
    }
    if contacts.smtp_user:
        told |= {
            "GF_SMTP_USER": contacts.smtp_user,
            # From a file it is taken as it is: in a variable Grafana would expand a $.
            "GF_SMTP_PASSWORD": f"$__file{{{password_file}}}",
        }
    return told


def _yaml(told: Mapping[str, Any]) -> bytes:
    return yaml.safe_dump(dict(told), sort_keys=False, allow_unicode=True).encode()


def _ever(state: Path) -> frozenset[str]:
    try:
        return frozenset((state / "grafana" / _EVER).read_text().split()) & {*KINDS}
    except OSError:
        return frozenset()


def _write(file: Path, content: bytes) -> None:
    for folder in reversed(file.parents):
        if not folder.exists():
            folder.mkdir()
            folder.chmod(_READABLE_FOLDER)
    file.write_bytes(content)
    file.chmod(_READABLE_FILE)
