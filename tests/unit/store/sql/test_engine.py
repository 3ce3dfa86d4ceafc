from __future__ import annotations

import duckdb
import pytest

from lokikit.store.errors import StoppedError
from lokikit.store.sql.engine import fetched, stoppable

_ENDLESS = "SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 1"


def test_what_runs_is_interrupted_when_the_check_raises():
    cursor = duckdb.connect()

    def check() -> None:
        raise StoppedError("the time is over", 504)

    with pytest.raises(StoppedError, match="the time is over"), stoppable(cursor, check):
        list(fetched(cursor, _ENDLESS))


def test_an_error_of_the_query_is_raised_as_it_is():
    cursor = duckdb.connect()
    with pytest.raises(duckdb.CatalogException), stoppable(cursor, lambda: None):
        list(fetched(cursor, "SELECT * FROM missing"))


def test_all_rows_are_fetched():
    assert len(list(fetched(duckdb.connect(), "SELECT * FROM range(25000)"))) == 25_000
