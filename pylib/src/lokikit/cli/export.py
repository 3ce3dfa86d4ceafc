"""`lokikit export`: the lines of an embedded store as files for other programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lokikit.atomic_file import new_name
from lokikit.cli.output import note, whole_output
from lokikit.errors import SettingsError, needs_extra
from lokikit.stack.kit_files import state_dir
from lokikit.times import parse_time_ns

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher
    from lokikit.store.segments.store import Store

    Span = tuple[int, int]

_EVER_NS = (1 << 63) - 1

Selector = Annotated[
    str,
    typer.Argument(
        metavar="SELECTOR", help='Which streams: `{service_name="shop"}`; all by default.'
    ),
]
Parquet = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write Parquet files into this folder.")
]
Jsonl = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write one JSON object for each line; `-` is stdout."),
]
Data = Annotated[
    Path | None,
    typer.Option(help="The folder of the store; `store` in the state folder by default."),
]
Start = Annotated[str, typer.Option("--from", help="RFC 3339, a date, or a duration ago.")]
End = Annotated[
    str, typer.Option("--to", help="As --from, or now; lines at this very time are left out.")
]


def export(  # noqa: PLR0913, PLR0917 - typer reads the options from the signature
    selector: Selector = "{}",
    parquet: Parquet = None,
    jsonl: Jsonl = None,
    data: Data = None,
    start: Start = "",
    end: End = "",
) -> None:
    """Write the lines of an embedded store as Parquet or JSON lines.

    It reads the current content of the folder, with or without a running store, and needs no
    server. Parquet files can be read by DuckDB, pandas, Spark and others; each is ordered by time.

        lokikit export --parquet ./lines --from 7d

        lokikit export '{service_name="shop"}' --jsonl - --from 2026-11-21 --to 2026-11-22
    """
    if (parquet is None) == (jsonl is None):
        raise SettingsError("export: name one target: --parquet DIR or --jsonl FILE.")
    now_ns = time.time_ns()
    start_ns = parse_time_ns(start, "--from", now_ns) if start else 0
    end_ns = parse_time_ns(end, "--to", now_ns) if end else _EVER_NS
    if start_ns >= end_ns:
        raise SettingsError("export: --from is not before --to, so no line is between them.")
    folder = data or state_dir() / "store"
    target = parquet or jsonl
    try:
        lines = export_folder(folder, selector, (start_ns, end_ns), parquet=parquet, jsonl=jsonl)
    except (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise SettingsError(f"export: cannot write {target}: {error.strerror}.") from error
    note(f"{lines} lines are in {target}.")


def export_folder(
    folder: Path, selector: str, span: Span, *, parquet: Path | None, jsonl: Path | None
) -> int:
    """Write the selected lines of a folder; return their number.

    Raises:
        PrerequisiteError: the extra is missing.
        SettingsError: there is no store in the folder, or the selector is wrong.
    """
    with needs_extra("store", "export"):
        from lokikit.store.errors import QueryError  # noqa: PLC0415 - needs the extra
        from lokikit.store.logql.parser import parse_selector  # noqa: PLC0415 - needs the extra
        from lokikit.store.segments.export import export_parquet  # noqa: PLC0415 - needs the extra
        from lokikit.store.segments.snapshot import open_snapshot  # noqa: PLC0415 - needs the extra
    try:
        matchers = parse_selector(selector, allows_all=True)
    except QueryError as error:
        raise SettingsError(f"export: the selector {selector!r} is wrong: {error}") from error
    with open_snapshot(folder) as store:
        if parquet:
            return export_parquet(store, parquet, matchers, *span)
        return _export_jsonl(store, jsonl, matchers, span)


def _export_jsonl(
    store: Store, target: Path | None, matchers: Sequence[Matcher], span: Span
) -> int:
    from lokikit.store.segments.export import export_jsonl  # noqa: PLC0415 - needs the extra

    if target is None or str(target) == "-":
        with whole_output():
            return export_jsonl(store, sys.stdout.buffer, matchers, *span)
    if target.exists() and not target.is_file():  # a pipe or a device, or a folder by mistake
        with target.open("wb") as file:
            return export_jsonl(store, file, matchers, *span)
    new = new_name(target)
    try:
        with new.open("wb") as file:
            lines = export_jsonl(store, file, matchers, *span)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return lines
