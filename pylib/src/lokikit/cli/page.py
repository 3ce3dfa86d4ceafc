"""`lokikit page`: logs, dashboards, tasks and alerts in a browser."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lokikit.alerts.state_file import alerts_folder
from lokikit.cli.clients import loki_from
from lokikit.cli.logql import find_problem
from lokikit.cli.output import note
from lokikit.cli.runtime import conditions_now, numbers_now
from lokikit.errors import PrerequisiteError, needs_extra
from lokikit.stack.kit_files import port as port_of
from lokikit.stack.kit_files import state_dir
from lokikit.stack.part_status import read_wanted

if TYPE_CHECKING:
    from lokikit.store.errors import SyntaxProblem

PASSWORD = "PAGE_PASSWORD"  # noqa: S105 - the name of a variable
SPOOL = "LOKI_SPOOL_DIR"

Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="The port; PAGE_PORT by default, 0 takes a free one."),
]
Host = Annotated[str, typer.Option(help="The address to listen on.")]


def page(port: Port = None, host: Host = "127.0.0.1") -> None:
    """Serve the web page: explore lines, dashboards, tasks, alerts, of any Loki.

    It queries the Loki that LOKI_URL names, otherwise the Loki that `lokikit up` starts. When
    --host is not the loopback of this machine, a browser must send the password in PAGE_PASSWORD.

        lokikit page

        PAGE_PASSWORD=… lokikit page --host 0.0.0.0
    """
    with needs_extra("page", "page"):
        from lokikit.page.app import Sources  # noqa: PLC0415 - needs the extra
        from lokikit.page.serving import serve_page  # noqa: PLC0415 - needs the extra
    state = state_dir()
    spool = os.environ.get(SPOOL)
    sources = Sources(
        loki_from,
        alerts_folder(state),
        Path(spool) if spool else None,
        lambda: conditions_now(read_wanted(state), state),
        lambda: numbers_now(read_wanted(state), state),
        _problem,
    )
    chosen = port_of("PAGE_PORT") if port is None else port
    serve_page(
        sources, host, chosen, os.environ.get(PASSWORD, ""), lambda url: note(f"page: {url}")
    )


def _problem(logql: str) -> SyntaxProblem | None:
    """Return the error in a query; `None` without an error, or without the extra of the store."""
    with suppress(PrerequisiteError):
        return find_problem(logql)
    return None
