from __future__ import annotations

import sys

import pytest

from lokikit.errors import PrerequisiteError
from lokikit.query.results import LogEntry
from lokikit.query.tables import columns, to_arrow, to_pandas

FIRST_NS = 1_793_000_000_123_456_789
SHOP = LogEntry(
    FIRST_NS,
    '{"message":"paid","duration_ms":12,"tags":["a",1],"env":"line"}',
    {"service_name": "shop", "env": "prod"},
    {"request_id": "r1", "detected_level": "info"},
)
CRASH = LogEntry(FIRST_NS + 1, "Segmentation fault", {"service_name": "shop"}, {})


def test_columns_are_labels_metadata_and_fields() -> None:
    assert columns([SHOP, CRASH]) == {
        "timestamp": [FIRST_NS, FIRST_NS + 1],
        "line": [SHOP.line, CRASH.line],
        "message": ["paid", None],
        "duration_ms": [12, None],
        "tags": ['["a",1]', None],
        "env": ["prod", None],
        "request_id": ["r1", None],
        "detected_level": ["info", None],
        "service_name": ["shop", "shop"],
    }


@pytest.mark.parametrize(
    ("values", "column"),
    [
        (("1", "2.5"), [1.0, 2.5]),
        (("1", '"one"'), ["1", "one"]),
        (("true", "7"), ["true", "7"]),
        (("null", "7"), [None, 7]),
    ],
)
def test_a_column_has_values_of_one_type(values: tuple[str, str], column: list[object]) -> None:
    entries = [LogEntry(1, f'{{"x":{value}}}', {}, {}) for value in values]
    assert columns(entries)["x"] == column


def test_an_arrow_table_keeps_nanoseconds() -> None:
    pytest.importorskip("pyarrow", reason="its newest version needs Python 3.11")
    table = to_arrow([SHOP, CRASH])
    assert str(table.schema.field("timestamp").type) == "timestamp[ns, tz=UTC]"
    assert table.column("timestamp").cast("int64").to_pylist() == [FIRST_NS, FIRST_NS + 1]
    assert table.column("service_name").to_pylist() == ["shop", "shop"]


def test_a_pandas_frame_keeps_nanoseconds() -> None:
    pytest.importorskip("pandas", reason="its newest version needs Python 3.11")
    frame = to_pandas([SHOP, CRASH])
    assert [one.value for one in frame["timestamp"]] == [FIRST_NS, FIRST_NS + 1]
    assert frame["duration_ms"].sum() == 12


def test_no_entries_are_an_empty_table() -> None:
    pytest.importorskip("pandas", reason="its newest version needs Python 3.11")
    assert to_arrow([]).num_rows == 0
    assert len(to_pandas([])) == 0


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(PrerequisiteError, match="pip install pandas"):
        to_pandas([])
