from __future__ import annotations

import csv
import json

import pytest

from lokikit.page.downloads import csv_rows, jsonl
from lokikit.query.results import LogEntry, as_json


def entry(message: str) -> LogEntry:
    """An entry of the shop with that message."""
    line = json.dumps({"level": "info", "message": message})
    return LogEntry(10**9, line, {"service_name": "shop"}, {"detected_level": "info"})


def test_json_lines_are_those_of_the_command_line() -> None:
    entries = [entry(str(number)) for number in range(1200)]
    assert b"".join(jsonl(entries)).splitlines() == [as_json(one) for one in entries]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1"], ids=ascii)
def test_no_cell_is_a_formula(text: str) -> None:
    _, row = csv.reader(b"".join(csv_rows([entry(text)])).decode().splitlines())
    assert row[4] == f"'{text}"


def test_a_message_of_several_lines_is_one_cell() -> None:
    table = b"".join(csv_rows([entry('a\n"b",c')])).decode()
    (row,) = list(csv.reader(table.splitlines(keepends=True)))[1:]
    assert row[:5] == ["1970-01-01T00:00:01.000000000Z", "info", "shop", "", 'a\n"b",c']


def test_without_lines_a_table_has_its_names() -> None:
    assert b"".join(csv_rows([])).startswith(b"timestamp,level,service")
