"""`lokikit store`: the embedded store as a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lokikit.stack.kit_files import state_dir
from lokikit.store.serving import serve_store

Data = Annotated[
    Path | None,
    typer.Option(help="The folder of the data; `store` in the state folder by default."),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Retention = Annotated[
    str | None,
    typer.Option(help="How long lines are kept: 168h, 30d. `LOKI_RETENTION` by default."),
]
Config = Annotated[
    Path | None,
    typer.Option(help="A configuration of Loki to read the limits from; the kit's by default."),
]


def store(
    data: Data = None,
    port: Port = 3100,
    host: Host = "127.0.0.1",
    retention: Retention = None,
    config: Config = None,
) -> None:
    """Run the embedded store: Loki's API from `pip install` alone, in one process.

    It takes pushes and answers LogQL like a Loki, for one machine. Where that is not enough, use
    Loki itself: only the URL changes. A push is answered once its lines are on the disk. SIGTERM
    and Ctrl-C finish the running requests.

        lokikit store --data ./logs --port 3100
    """
    serve_store(data or state_dir() / "store", port, host, retention, config)
