"""DuckDB as an engine: in memory, kept to the store's folder, and within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    import duckdb
except ModuleNotFoundError as error:  # pragma: no cover - the extra is installed in tests
    from lokikit.errors import PrerequisiteError

    raise PrerequisiteError(
        "the embedded store needs DuckDB, which is not installed: pip install 'lokikit[store]'. "
        "Where no wheel of DuckDB exists for this platform, run Loki and set LOKI_URL."
    ) from error

from pathlib import Path

from lokikit.store.segments.schema import COLUMNS, LINE_BYTES, LINE_BYTES_SQL

if TYPE_CHECKING:
    from lokikit.store.segments.settings import StoreSettings

Cursor = duckdb.DuckDBPyConnection
"""A connection of its own to the same tables: each thread takes one."""
DatabaseError = duckdb.Error


def quoted(text: str) -> str:
    """The text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def open_database(folder: Path, scratch: Path, settings: StoreSettings) -> Cursor:
    """An empty database in memory that reads and writes in `folder` alone."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": settings.threads,
            "memory_limit": f"{settings.memory_limit_bytes}B",
            "temp_directory": str(scratch),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    connection.execute("SET TimeZone='UTC'")
    connection.execute(f"SET allowed_directories=[{quoted(str(folder))}]")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")
    return connection


def table_columns() -> str:
    """The columns of a table of rows, for CREATE TABLE."""
    computed = {LINE_BYTES: f" AS ({LINE_BYTES_SQL})"}
    return ", ".join(f"{name} {kind}{computed.get(name, '')}" for name, kind in COLUMNS.items())
