"""`lokikit alerts` as a part of the native stack, if no Grafana sends the alerts."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from lokikit.errors import SettingsError
from lokikit.stack.grafana.contacts import Contacts
from lokikit.stack.kit_files import KIT, kit_root, rule_files
from lokikit.stack.native.grafana import GRAFANA_PART
from lokikit.stack.native.native_part import NativePart
from lokikit.stack.native.processes import find_groups
from lokikit.stack.native.store import STORE_PARTS
from lokikit.stack.part_status import read_wanted

ALERTS_PART = "alerts"
ALIVE = "alive"
"""Name of the file in the folder of alerts that each step touches."""
_ALIVE_S = 120
"""A step may wait for a Loki and a mail server that do not answer."""
_CLOSED_FOLDER, _CLOSED_FILE = 0o700, 0o600


def write_kit_contacts(state: Path, contacts: Contacts) -> None:
    """Save the contacts of `lokikit alerts`; without contacts the file is removed.

    A file, because the environment of the parts holds no secrets: an `up`, a `status` or a restart
    from any shell finds them there.
    """
    file = contacts_file(state)
    if not contacts.names:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(mode=_CLOSED_FOLDER, parents=True, exist_ok=True)
    file.touch(mode=_CLOSED_FILE)
    file.chmod(_CLOSED_FILE)
    file.write_text(json.dumps(asdict(contacts)), encoding="utf-8")


def read_kit_contacts(file: Path) -> Contacts:
    """Return the contacts in a file of `write_kit_contacts`.

    Raises:
        SettingsError: the file cannot be read.
    """
    try:
        held = json.loads(file.read_bytes())
        lists = {name: tuple(held[name]) for name in ("mail_to", "urls")}
        return Contacts(**{**held, **lists})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(
            f"cannot read the contacts in {file} ({error}): lokikit up writes it again."
        ) from error


def contacts_file(state: Path) -> Path:
    """Return the file of the contacts."""
    return state / ALERTS_PART / "contacts.json"


def kit_contacts(state: Path) -> Contacts:
    """Return the contacts of `lokikit alerts` in the stack in `state`; none without the file."""
    file = contacts_file(state)
    return read_kit_contacts(file) if file.is_file() else Contacts()


def grafana_tells(state: Path) -> bool:
    """Return True when the stack in `state` has a Grafana that runs."""
    wanted = read_wanted(state)
    if wanted is None:
        return False
    return wanted.runtime == "docker" or GRAFANA_PART in find_groups(state)


def alerts_part(state: Path, loki_url: str) -> NativePart:
    """Return the part that evaluates the rules and sends alerts."""
    contacts = contacts_file(state)
    alive = contacts.with_name(ALIVE)
    return NativePart(
        ALERTS_PART,
        (sys.executable, "-m", "lokikit", "alerts", "--contacts", str(contacts)),
        log := state / f"logs/{ALERTS_PART}.log",
        str(log),
        cwd=state,
        variables={"LOKI_URL": loki_url, "LOKIKIT_STATE": str(state), KIT: str(kit_root())},
        healthy=lambda: is_fresh(alive),
        reads=(contacts, *rule_files()),
        stale=(alive,),
        needs=STORE_PARTS,
    )


def is_fresh(alive: Path) -> bool:
    """Return True when the file was touched in the last two minutes, by `lokikit alerts`."""
    try:
        return abs(time.time() - alive.stat().st_mtime) < _ALIVE_S
    except OSError:
        return False
