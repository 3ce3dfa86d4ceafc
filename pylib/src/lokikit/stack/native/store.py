"""The store of the native stack: a Loki elsewhere, the `loki` on PATH, or the embedded store."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lokikit.delivery.address import is_loopback
from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.stack.kit_files import KIT, kit_env, kit_root, loki_url, port
from lokikit.stack.native.loki import (
    config_file,
    is_ready,
    loki_command,
    loki_variables,
    loki_version,
    require_loki,
)
from lokikit.stack.native.native_part import NativePart
from lokikit.stack.native.processes import find_groups
from lokikit.stack.programs import missing_packages

if TYPE_CHECKING:
    from lokikit.stack.part_status import Wanted

STORE = "STORE"
"""Variable that forces a program of this machine; `auto` prefers the Loki on PATH."""
LOKI_PART, EMBEDDED_PART = "loki", "store"
STORE_PARTS = (LOKI_PART, EMBEDDED_PART)
RETENTION = "LOKI_RETENTION"
"""Key of `.env`: how long lines are kept."""
STORE_MODULES = ("arro3", "duckdb", "re2", "uvicorn", "h11", "cramjam")
_KINDS = {"loki": LOKI_PART, "embedded": EMBEDDED_PART}


@dataclass(frozen=True)
class StoreChoice:
    """The store of a stack.

    Args:
        url: address of its API.
        part: part that serves it; empty for a Loki elsewhere.
        reason: reason for the choice, for the user.
        program: the `loki` to run, for `LOKI_PART`.
    """

    url: str
    part: str = ""
    reason: str = ""
    program: Path | None = None

    def __str__(self) -> str:
        names = {EMBEDDED_PART: "embedded", "": self.url}
        return f"{names.get(self.part) or f'Loki {self.version}'.strip()} ({self.reason})"

    @property
    def version(self) -> str:
        """Version of the `loki`; empty without a `loki`."""
        return loki_version(self.program) if self.program else ""


def choose_store(state: Path, environ: Mapping[str, str] = os.environ) -> StoreChoice:
    """Return the store of the stack in `state`, and the reason for it.

    A stack whose embedded store holds lines keeps it, because a Loki would not have them.

    Raises:
        SettingsError: `STORE` has an unknown value, or names a Loki that is not there.
        PrerequisiteError: neither the embedded store nor a Loki is installed.
    """
    asked = kit_env(environ).get(STORE) or "auto"
    if asked not in {"auto", *_KINDS}:
        raise SettingsError(f"{STORE}={asked!r} is no store: use auto, {' or '.join(_KINDS)}.")
    own = own_url(environ)
    if asked == "auto" and _is_elsewhere(state, environ):
        return StoreChoice(loki_url(environ), reason="LOKI_URL names it")
    try:
        program = require_loki(environ) if asked != "embedded" else None
    except PrerequisiteError as error:
        if asked == "loki":
            raise SettingsError(f"{STORE}=loki: {error}, or leave {STORE} out.") from error
        return _embedded(own, str(error).partition(":")[0])
    if program is None:
        return _embedded(own, f"{STORE} asks for it")
    if asked == "auto" and _has_lines(state, EMBEDDED_PART) and not _has_lines(state, LOKI_PART):
        return _embedded(own, f"it has the lines so far; {STORE}=loki takes {program}")
    reason = f"{program} is on PATH" if asked == "auto" else f"{STORE} asks for it"
    return StoreChoice(own, LOKI_PART, reason, program)


def remembered_store(wanted: Wanted, environ: Mapping[str, str] = os.environ) -> StoreChoice:
    """Return the store that the last `up` chose."""
    return StoreChoice(wanted.loki_url or own_url(environ), wanted.store)


def store_part(
    choice: StoreChoice, state: Path, environ: Mapping[str, str] = os.environ
) -> NativePart | None:
    """Return that store as a part of the stack in `state`, `None` for a Loki elsewhere."""
    if not choice.part:
        return None
    keys = ("LOKI_PORT", "LOKI_GRPC_PORT") if choice.part == LOKI_PART else ("LOKI_PORT",)
    data, http_port = state / choice.part, port("LOKI_PORT", environ)
    variables = loki_variables(data, http_port, port("LOKI_GRPC_PORT", environ))
    if choice.part == EMBEDDED_PART:
        command = store_command(data, http_port)
    else:
        command = loki_command(choice.program or Path(LOKI_PART))
    return NativePart(
        choice.part,
        tuple(command),
        state / f"logs/{choice.part}.log",
        choice.url,
        cwd=state,
        variables={**variables, RETENTION: kit_env(environ)[RETENTION], KIT: str(kit_root())},
        ports={key: port(key, environ) for key in keys},
        healthy=lambda: is_ready(choice.url),
        reads=(config_file(),),
    )


def store_command(data: Path, http_port: int) -> list[str]:
    """Return the command line of an embedded store."""
    options = ["--data", str(data), "--port", str(http_port)]
    return [sys.executable, "-m", "lokikit.store", *options]


def require_store() -> None:
    """Return when the embedded store is installed.

    Raises:
        PrerequisiteError: it is not; the text names the packages to install.
    """
    if missing := missing_packages(STORE_MODULES):
        raise PrerequisiteError(
            f"the embedded store is not installed ({', '.join(missing)} missing): pip install "
            "'lokikit[store]'; where DuckDB has no wheel (Alpine Linux), put Loki 3.4 or newer on "
            "PATH, or name a Loki in LOKI_URL."
        )


def own_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the address of a store of this stack, independent of `LOKI_URL`."""
    return loki_url({name: environ[name] for name in environ if name != "LOKI_URL"})


def _embedded(url: str, reason: str) -> StoreChoice:
    require_store()
    return StoreChoice(url, EMBEDDED_PART, reason)


def _is_elsewhere(state: Path, environ: Mapping[str, str]) -> bool:
    """Return True when `LOKI_URL` names a Loki outside this stack.

    The stack's own address counts as outside when another program answers there.
    """
    url = loki_url(environ)
    if _address(url) != _address(own_url(environ)):
        return True
    is_ours = not find_groups(state).keys().isdisjoint(STORE_PARTS)
    return bool(environ.get("LOKI_URL")) and not is_ours and is_ready(url)


def _address(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return "127.0.0.1" if is_loopback(host) else host, parts.path, parts.port


def _has_lines(state: Path, part: str) -> bool:
    folder = state / part
    return folder.is_dir() and any(folder.iterdir())
