"""Results of benchmarks as JSON, and as the tables of the pages."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from tests.benchmarks import markdown, measurement
from tests.benchmarks.__main__ import _BENCHMARKS, main
from tests.benchmarks.measurement import FOLDER, Result, Table

if TYPE_CHECKING:
    from pathlib import Path

TABLE = Table("costs", ["", "us", "ratio"], [["ours", 12_345, 0.12345678], ["peer", 1.5, None]])


def result(**changed: object) -> Result:
    """A result with some parts changed."""
    parts: dict[str, object] = {
        "benchmark": "caller",
        "title": "Calls",
        "date": "2026-11-26 20:00 UTC",
        "machine": {"cpu": "Example 3000", "cores": 2, "memory_gib": 8, "kernel": "Linux 6.1"},
        "versions": {"Python": "3.11.7", "Loki": "3.7.6"},
        "load_average": [0.5, 1.25],
        "tables": [TABLE],
        "remarks": ["Nothing else ran."],
    }
    return Result(**{**parts, **changed})  # type: ignore[arg-type]  # the parts are those above


def test_what_is_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "FOLDER", tmp_path)
    path = measurement.write(result())
    assert path == tmp_path / "caller.json"
    assert measurement.read(path).table("costs").value("us", "ours") == 12_345
    assert measurement.read(path).machine == result().machine


def test_a_figure_that_is_no_number_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement, "FOLDER", tmp_path)
    lost = Table("costs", ["", "us"], [["peer", float("nan")]])
    path = measurement.write(result(tables=[lost]))
    assert measurement.read(path).table("costs").rows == [["peer", None]]


def test_the_circumstances_name_machine_versions_date_and_load() -> None:
    assert markdown.circumstances(result()) == (
        "`python -m tests.benchmarks caller`: 2026-11-26 20:00 UTC, Example 3000, 2 cores, 8 GiB "
        "of memory, Linux 6.1, Python 3.11.7, Loki 3.7.6, load average before and after: 0.5 and "
        "1.25."
    )


def test_a_run_without_its_machine_says_so() -> None:
    said = markdown.circumstances(result(machine={"cores": 2}, versions={}, load_average=[]))
    assert said.endswith("2 cores, the machine was not recorded.")


def test_a_table_has_three_digits_of_a_small_number_and_all_of_a_count() -> None:
    assert markdown.table(TABLE).splitlines()[2:] == [
        "| ours | 12,345 | 0.123 |",
        "| peer | 1.5 |  |",
    ]


def test_a_section_ends_with_the_remarks() -> None:
    assert markdown.section(result()).splitlines()[-1] == "Nothing else ran."


def test_this_machine_is_named_in_each_part() -> None:
    found = measurement.machine()
    assert all(found[part] for part in ("cpu", "cores", "memory_gib", "kernel")), found
    assert found["cores"] == os.cpu_count()


@pytest.mark.parametrize("name", sorted(_BENCHMARKS))
def test_the_versions_of_each_benchmark_can_be_named(name: str) -> None:
    benchmark = _BENCHMARKS[name]
    found = measurement.versions(benchmark.packages, [])
    assert set(found) == {"Python", "lokikit", *benchmark.packages}
    assert all(re.match(r"\d+\.\d+", version) for version in found.values()), found


def test_a_program_that_is_not_on_path_has_no_version() -> None:
    assert "no-such-loki" not in measurement.versions([], ["no-such-loki"])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_each_result_is_of_a_benchmark_that_can_be_repeated(path: Path) -> None:
    found = measurement.read(path)
    assert (found.benchmark, found.title) == (path.stem, _BENCHMARKS[path.stem].title)
    assert re.match(r"\d{4}-\d\d-\d\d", found.date)
    assert all(len(row) == len(one.columns) for one in found.tables for row in one.rows)


def test_the_pages_order_holds_each_benchmark() -> None:
    assert list(markdown.ORDER) == list(_BENCHMARKS)


def test_an_unknown_benchmark_is_refused_before_a_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "spool", "no-such"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "no benchmark is named no-such" in capsys.readouterr().err
