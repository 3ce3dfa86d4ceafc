from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import duckdb
import pytest

from lokikit.store.segments.schema import Part
from lokikit.store.sql.names import UNKNOWN_ROWS
from lokikit.store.sql.part_facts import PartFacts

if TYPE_CHECKING:
    from lokikit.store.segments.database import Cursor


class _Pin:
    pass


def _part(*, sealed: bool = True, rows: int = 100, pin: object = None) -> Part:
    return Part("rows", 0, 1, rows, frozenset({1}), sealed, pin or _Pin())


@pytest.fixture
def cursor() -> Cursor:
    """Two plain rows and an odd one in the table `rows`."""
    connection = duckdb.connect()
    connection.execute("""
        CREATE TABLE rows AS SELECT * FROM (VALUES
            ('{"http_status":200}', '{"host":"a"}', FALSE, '200', NULL),
            ('{"exc_type":null}', NULL, FALSE, NULL, NULL),
            ('odd "http_status"', '{"pod":"b"}', TRUE, NULL, NULL)
        ) t(line, meta, odd, f_http_status, f_exc_type)
    """)
    return connection


def test_names_of_metadata_are_those_of_all_rows(cursor: Cursor):
    assert PartFacts().traits(cursor, _part(), (), ()).metadata == {"host", "pod"}


def test_fields_of_nothing_but_numbers_are_known(cursor: Cursor):
    assert PartFacts().traits(cursor, _part(), ["http_status"], ()).numeric == {"http_status"}
    cursor.execute("INSERT INTO rows VALUES ('', NULL, FALSE, 'x', NULL)")
    assert PartFacts().traits(cursor, _part(), ["http_status"], ()).numeric == frozenset()


def test_a_key_without_a_value_keeps_its_field_from_standing_for_the_key(cursor: Cursor):
    keyed = PartFacts().traits(cursor, _part(), (), ["http_status", "exc_type"]).keyed
    assert keyed == {"http_status"}


def test_a_part_is_asked_once(cursor: Cursor):
    facts, part = PartFacts(), _part()
    before = facts.traits(cursor, part, ["http_status"], ())
    cursor.execute("DROP TABLE rows")
    assert facts.traits(cursor, part, ["http_status"], ()) == before


def test_nothing_is_known_of_a_part_that_may_change(cursor: Cursor):
    assert PartFacts().traits(cursor, _part(sealed=False), ["http_status"], ()) is UNKNOWN_ROWS


def test_few_odd_rows_are_copied_until_their_part_is_gone(cursor: Cursor):
    facts, pin = PartFacts(), _Pin()
    copied = facts.odd_rows(cursor, _part(pin=pin))
    assert cursor.execute(f"SELECT line FROM {copied}").fetchall() == [('odd "http_status"',)]  # noqa: S608 - a name
    del pin
    gc.collect()
    facts.odd_rows(cursor, _part(sealed=False))
    facts.odd_rows(cursor, _part())
    tables = {name for (name,) in cursor.execute("SHOW TABLES").fetchall()}
    assert copied not in tables


def test_many_odd_rows_are_read_where_they_are(cursor: Cursor):
    assert PartFacts().odd_rows(cursor, _part(rows=3)) == "(SELECT * FROM rows WHERE odd)"


def test_a_part_without_odd_rows_has_no_relation_of_them(cursor: Cursor):
    cursor.execute("DELETE FROM rows WHERE odd")
    assert PartFacts().odd_rows(cursor, _part()) is None
