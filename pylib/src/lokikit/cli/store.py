"""`lokikit store`: the embedded store as a server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from lokikit.errors import PrerequisiteError
from lokikit.kit import kit_env, kit_root, state_dir

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

Data = Annotated[
    Path | None,
    typer.Option(help="The folder of the data; `store` in the state folder when not given."),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Retention = Annotated[
    str | None,
    typer.Option(help="How long lines are kept: 168h, 30d. `LOKI_RETENTION` when not given."),
]
Config = Annotated[
    Path | None,
    typer.Option(help="A configuration of Loki to read the limits from; the kit's when not given."),
]


def store(
    data: Data = None,
    port: Port = 3100,
    host: Host = "127.0.0.1",
    retention: Retention = None,
    config: Config = None,
) -> None:
    """Run the embedded store: Loki's API from `pip install` alone, in one process.

    It takes pushes and answers LogQL like a Loki, for one machine. What outgrows that goes to
    Loki itself: only the URL changes. A push is answered once its lines are on the disk. SIGTERM
    and Ctrl-C finish what runs.

        lokikit store --data ./logs --port 3100
    """
    serve_store(data or state_dir() / "store", port, host, retention, config)


def serve_store(
    data: Path, port: int, host: str, retention: str | None, config: Path | None = None
) -> None:
    """Serve the folder until a signal.

    Raises:
        PrerequisiteError: a library, the port or the folder is not there.
        SettingsError: the retention is no duration.
    """
    try:
        from lokikit.store.api.running import serve  # noqa: PLC0415 - needs the extra
        from lokikit.store.limits import read_limits  # noqa: PLC0415
        from lokikit.store.settings import ServerSettings  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise PrerequisiteError(
            f"store: the embedded store needs its extra ({error.name} is missing): "
            "pip install 'lokikit[store]'; on a system for which DuckDB has no wheel, use Loki."
        ) from error
    environ = dict(kit_env(os.environ))
    if retention:
        environ["LOKI_RETENTION"] = retention
    limits = read_limits(config or kit_root() / "loki/loki.yaml", environ)
    if host not in _LOOPBACK:
        typer.echo(f"store: {host} is open to other machines, and there is no password.", err=True)
    serve(
        ServerSettings(data, host, port, limits),
        lambda url: typer.echo(f"store: {url} serves {data}", err=True),
    )
