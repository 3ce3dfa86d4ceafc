"""The SQL of `docs/your-data.md`, run over an export."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import orjson
import pytest

from lokikit.store.segments.export import export_parquet
from lokikit.store.segments.schema import PushedEntry
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store

PAGE = Path(__file__).parents[4] / "docs" / "your-data.md"
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
HOUR_NS = 3600 * 10**9


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    request = {"http_route": "/orders", "http_status": 200, "duration_ms": 12.5}
    line = orjson.dumps(request).decode()
    metadata = {"request_id": "r1", "detected_level": "error"}
    with Store.open(tmp_path / "data", StoreSettings(retention_s=0, min_free_bytes=0)) as store:
        store.push(
            [
                PushedEntry({"service_name": "shop"}, HOUR_NS, line, metadata),
                PushedEntry({"service_name": "stock"}, HOUR_NS + 10**9, line, metadata),
                PushedEntry({"service_name": "stock"}, HOUR_NS + 10**9, "no JSON"),
            ]
        )
        export_parquet(store, tmp_path / "lines")
    return tmp_path / "lines"


def answer(query: str, folder: Path) -> list[tuple[object, ...]]:
    return duckdb.sql(query.replace("'lines/", f"'{folder}/")).fetchall()


def test_the_slowest_routes(exported: Path) -> None:
    assert answer(QUERIES[0], exported) == [("/orders", 2, 12.5)]


def test_errors_by_hour_and_service(exported: Path) -> None:
    rows = answer(QUERIES[1], exported)
    assert [row[1:] for row in rows] == [("shop", 1, 1.0), ("stock", 1, 0.5)]


def test_requests_that_crossed_services(exported: Path) -> None:
    ((request_id, services, _),) = answer(QUERIES[2], exported)
    assert (request_id, services) == ("r1", ["shop", "stock"])
