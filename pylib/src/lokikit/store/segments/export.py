"""Stored lines as files for other programs: ordinary Parquet, or a JSON object a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import duckdb
import orjson

from lokikit.atomic_file import new_name
from lokikit.errors import PrerequisiteError
from lokikit.fields import LABEL_FIELDS
from lokikit.store.segments.database import Cursor, quoted
from lokikit.store.segments.disk import remove_files
from lokikit.times import format_time

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher
    from lokikit.store.segments.store import Store

EVER_NS = (1 << 63) - 1
_LABEL_COLUMNS = tuple(LABEL_FIELDS)
_STREAM_TYPE = {"stream": "INTEGER", "labels": "VARCHAR"} | dict.fromkeys(_LABEL_COLUMNS, "VARCHAR")


def export_parquet(
    store: Store,
    folder: Path,
    matchers: Sequence[Matcher] = (),
    start_ns: int = 0,
    end_ns: int = EVER_NS,
) -> int:
    """Write Parquet files, ordered by time in each; return how many lines they have.

    The files of an earlier export into this folder are replaced, once all new ones are complete.

    Columns: `timestamp` (microseconds, UTC), `timestamp_ns`, the kit's labels `service_name` and
    `env`, `labels` and `metadata` as JSON, `level`, `line`.

    Args:
        store: its unsealed lines are sealed first.
        folder: gets the files; created when absent.
        matchers: what the labels of a stream must fulfil; none selects all.
        start_ns: the first moment.
        end_ns: the moment behind the last.

    Raises:
        PrerequisiteError: the disk does not take the files.
    """
    store.flush()
    folder.mkdir(parents=True, exist_ok=True)
    streams = store.stream_numbers(matchers)
    parts = sorted(store.relations(start_ns, end_ns), key=lambda part: part.min_ns)
    targets = [folder / f"lines-{number:05}.parquet" for number in range(1, len(parts) + 1)]
    memory = f"{store.settings.memory_limit_bytes}B"
    rows = 0
    try:
        with duckdb.connect(":memory:", config={"memory_limit": memory}) as database:
            database.execute("SET TimeZone='UTC'")
            _create_streams(database, streams)
            for part, target in zip(parts, targets, strict=True):
                new = new_name(target)
                rows += _copy_part(database, part.relation, new, max(start_ns, 0), end_ns)
    except duckdb.Error as error:
        remove_files(list(map(new_name, targets)))
        problem = str(error).splitlines()[0]
        raise PrerequisiteError(f"cannot export into {folder}: {problem}") from error
    remove_files(list(folder.glob("lines-*.parquet")))
    for target in targets:
        new_name(target).replace(target)
    return rows


def _create_streams(database: Cursor, streams: Mapping[int, Mapping[str, str]]) -> None:
    rows = [
        {"stream": number, "labels": orjson.dumps(dict(labels)).decode()}
        | {name: labels.get(name) for name in _LABEL_COLUMNS}
        for number, labels in streams.items()
    ]
    kind = orjson.dumps([_STREAM_TYPE]).decode()
    database.execute(
        f"CREATE TABLE streams AS SELECT unnest(r) FROM (SELECT unnest(from_json(?, '{kind}')) r)",
        [orjson.dumps(rows).decode()],
    )


def _copy_part(database: Cursor, relation: str, target: Path, start_ns: int, end_ns: int) -> int:
    names = ", ".join(f"streams.{name}" for name in _LABEL_COLUMNS)
    copied = database.execute(
        "COPY (SELECT make_timestamptz(ts // 1000) AS timestamp, ts AS timestamp_ns, "
        f"{names}, streams.labels AS labels, level, meta AS metadata, line "
        f"FROM {relation} AS stored JOIN streams ON streams.stream = stored.stream "
        f"WHERE ts >= {start_ns} AND ts < {end_ns} ORDER BY ts) "
        f"TO {quoted(str(target))} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    return int(copied[0]) if copied else 0


def export_jsonl(
    store: Store,
    stream: BinaryIO,
    matchers: Sequence[Matcher] = (),
    start_ns: int = 0,
    end_ns: int = EVER_NS,
) -> int:
    """Write one JSON object for each line, the oldest first; return how many.

    Keys: `timestamp` (RFC 3339, nine digits), `labels`, `metadata`, `line`.
    """
    rows = 0
    for row in store.rows(matchers, start_ns, end_ns):
        exported = {
            "timestamp": format_time(row.timestamp_ns, 9),
            "labels": dict(row.labels),
            "metadata": dict(row.metadata),
            "line": row.line,
        }
        stream.write(orjson.dumps(exported, option=orjson.OPT_APPEND_NEWLINE))
        rows += 1
    return rows
