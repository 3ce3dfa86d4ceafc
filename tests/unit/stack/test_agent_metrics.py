"""The numbers of either agent, from what it tells and what stands on its disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.unit.spool.test_fluentbit_chunks import RECORD, chunk

from lokikit.stack.agent_metrics import AgentNumbers, ask_fluent_bit, read_metrics, read_ship_stats

if TYPE_CHECKING:
    from pathlib import Path

METRICS = """
# HELP fluentbit_input_records_total Number of input records.
fluentbit_uptime{hostname="h"} 12
fluentbit_input_records_total{name="files"} 40
fluentbit_input_records_total{name="http"} 3
fluentbit_input_records_total{name="storage_backlog.2"} 7
fluentbit_input_records_total{name="emitter_for_multiline.0"} 9
fluentbit_output_proc_records_total{name="loki"} 27
fluentbit_output_proc_records_total{name="loki_http"} 3
fluentbit_output_proc_records_total{name="split.error"} 99
fluentbit_output_retried_records_total{name="loki"} 5
fluentbit_output_dropped_records_total{name="loki"} 2
fluentbit_output_backpressure_wait_seconds_bucket{le="0.01",output="loki"} 4
"""


def test_lines_are_counted_once() -> None:
    """Not again where Fluent Bit hands them to itself, nor for another output than Loki."""
    assert read_metrics(METRICS) == AgentNumbers(read=43, sent=30, retried=5, dropped=2)


def test_the_disk_tells_what_waits(tmp_path: Path) -> None:
    """Its bytes, the age of the oldest, and the lines that Loki refused."""
    for name in ("files/7-100.5.flb", "files/7-90.0.flb", "rejected/a_400_loki_0x1.flb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(chunk(RECORD, RECORD))
    numbers = read_metrics(METRICS, tmp_path, time_s=lambda: 110.0)
    size = len(chunk(RECORD, RECORD))
    assert (numbers.dead, numbers.buffered_bytes, numbers.oldest_s) == (2, 2 * size, 20.0)


def test_nothing_waits_in_an_empty_storage(tmp_path: Path) -> None:
    """Zero, where an agent without a readable storage knows nothing."""
    numbers = read_metrics(METRICS, tmp_path)
    assert (numbers.dead, numbers.buffered_bytes, numbers.oldest_s) == (0, 0, 0.0)


def test_numbers_read_as_a_line() -> None:
    """What is not known is left out."""
    assert str(read_metrics(METRICS)) == "43 in, 30 out, 5 retried, 2 dropped"
    whole = AgentNumbers(1, 2, 3, 4, dead=5, buffered_bytes=6, oldest_s=7.4)
    assert str(whole).endswith("4 dropped, 5 dead letters, 6 bytes buffered, oldest 7 s")


def test_an_agent_that_is_away_has_no_numbers() -> None:
    """Nobody listens on port 1."""
    assert ask_fluent_bit("http://127.0.0.1:1") is None


def test_the_numbers_of_ship(tmp_path: Path) -> None:
    """From the file of its statistics; none when there is no such file, or half of one."""
    path = tmp_path / "stats.json"
    assert read_ship_stats(path) is None
    path.write_text("{")
    assert read_ship_stats(path) is None
    values = {"read": 5, "sent": 3, "retried": 2, "dropped": 1, "dead_letters": 1}
    path.write_text(json.dumps(values))
    assert read_ship_stats(path) == AgentNumbers(5, 3, 2, 1, dead=1)


def test_long_lines_of_files_are_counted() -> None:
    """Whether Fluent Bit cut them or read past them."""
    text = 'fluentbit_input_long_line_truncated_total{name="files"} 2\n'
    text += 'fluentbit_input_long_line_skipped_total{name="pods"} 1\n'
    assert read_metrics(text).cut == 3
    assert ", 3 cut" in str(read_metrics(text))
    assert " cut" not in str(read_metrics(""))
