from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.store.sql.corpus import API, START_NS, end_ns, entries
from tests.unit.store.sql.generated_queries import log_queries
from tests.unit.store.sql.kit_queries import kit_queries

from lokikit.store.errors import QueryError
from lokikit.store.logql.evaluator import Evaluator
from lokikit.store.logql.memory_source import MemorySource
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.syntax import LogExpression
from lokikit.store.rows import Row
from lokikit.store.sql.entries import row_condition

if TYPE_CHECKING:
    from lokikit.store.rows import Direction, RowSource
    from lokikit.store.segments.store import Store

_LINES = [text for text in kit_queries() if isinstance(parse_query(text), LogExpression)]


@pytest.fixture(scope="module")
def memory() -> MemorySource:
    return MemorySource(
        Row(entry.timestamp_ns, entry.labels, entry.metadata, entry.line) for entry in entries()
    )


def _found(source: RowSource, text: str, limit: int, direction: Direction) -> object:
    span = (START_NS - 10**9, end_ns() + 1)
    try:
        query = parse_query(text)
        assert isinstance(query, LogExpression)
        found = Evaluator(source).entries(query, *span, limit, direction)
    except QueryError as error:
        return str(error)
    key = [(one.timestamp_ns, one.line, sorted(one.labels().items())) for one in found]
    return sorted(key) if limit == 5000 else len(key)


@pytest.mark.parametrize("text", _LINES)
def test_each_log_query_of_the_kit_finds_the_lines_that_a_list_of_all_rows_gives(
    store: Store, memory: MemorySource, text: str
):
    for limit in (5000, 10):
        assert _found(store, text, limit, "backward") == _found(memory, text, limit, "backward")


@settings(max_examples=100, deadline=None)
@given(text=log_queries(), direction=st.sampled_from(("forward", "backward")))
def test_generated_queries_find_the_lines_that_a_list_of_all_rows_gives(
    store: Store, memory: MemorySource, text: str, direction: Direction
):
    assert _found(store, text, 5000, direction) == _found(memory, text, 5000, direction)


def _condition(text: str) -> str:
    query = parse_query(text)
    assert isinstance(query, LogExpression)
    return row_condition(query.stages, {7: API})


def test_a_field_of_plain_lines_is_looked_up_in_its_column():
    assert "f_exc_type" in _condition('{env="prod"} | json | exc_type="ValueError"')


def test_odd_lines_pass_the_conditions_behind_a_parser():
    assert _condition('{env="prod"} | json | exc_type="x"').startswith("(odd OR")


def test_labels_of_streams_need_no_look_at_the_row():
    assert _condition('{env="prod"} | service_name="api"') == (
        "(coalesce(CASE WHEN stream IN (7) THEN 'api' END, '') = 'api')"
    )


@pytest.mark.parametrize(
    "stages",
    ["| logfmt | a=`1`", "| label_format a=b | a=`1`", '| line_format "x" |= "x"', "| a > 5s"],
)
def test_what_sql_cannot_say_leaves_no_row_out(stages: str):
    assert _condition('{env="prod"} ' + stages) == "TRUE"
