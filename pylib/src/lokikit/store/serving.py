"""Serves a folder as `lokikit store` does, without the imports of the whole command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lokikit.delivery.address import is_loopback
from lokikit.errors import PrerequisiteError
from lokikit.stack.kit_files import kit_env, kit_root


def serve_store(
    data: Path, port: int, host: str, retention: str | None = None, config: Path | None = None
) -> None:
    """Serve the folder until SIGTERM or SIGINT.

    Args:
        data: the folder, created when absent.
        port: 0 takes a free one.
        host: the address to listen on.
        retention: how long lines are kept, such as `168h`; `LOKI_RETENTION` when it is None.
        config: a configuration of Loki to read the limits from; the kit's when it is None.

    Raises:
        PrerequisiteError: a library, the port or the folder is not there.
        SettingsError: the retention is no duration.
    """
    try:
        from lokikit.store.api.running import serve  # noqa: PLC0415 - needs the extra
        from lokikit.store.limits import read_limits  # noqa: PLC0415 - needs the extra
        from lokikit.store.settings import ServerSettings  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        raise PrerequisiteError(
            f"store: the embedded store needs its extra ({error.name} is missing): "
            "pip install 'lokikit[store]'; on a system for which DuckDB has no wheel, use Loki."
        ) from error
    environ = dict(kit_env(os.environ))
    if retention:
        environ["LOKI_RETENTION"] = retention
    limits = read_limits(config or kit_root() / "loki/loki.yaml", environ)
    if not is_loopback(host):
        _say(f"store: {host} is open to other machines, and there is no password")
    settings = ServerSettings(data, host, port, limits)
    serve(settings, lambda url: _say(f"store: {url} serves {data}"))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the command's own line
