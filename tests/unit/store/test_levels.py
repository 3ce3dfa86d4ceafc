import json
import re
from pathlib import Path

import pytest

from lokikit.store.levels import LevelDetector, detect_level, kit_detector

RECORDED = json.loads(Path(__file__).with_name("levels.json").read_text())
"""Lines, metadata, labels and the `detected_level` that a Loki 3.7.6 gave each of them."""


def test_levels_are_those_that_loki_recorded():
    different = [
        (line, metadata, labels, level, found)
        for line, metadata, labels, level in RECORDED
        if (found := detect_level(line, _sanitized(metadata), labels)) != level
        and "\u0130" not in line  # Go and Python lower this letter differently
    ]
    assert not different


def test_lines_of_a_stream_get_the_levels_that_each_gets_alone():
    detector = kit_detector()
    for line, metadata, labels, _ in RECORDED:
        stream = [("plain", {}), (line, _sanitized(metadata)), ("an error", {"request_id": "1"})]
        lines, all_metadata = zip(*stream, strict=True)
        assert detector.detect_all(lines, all_metadata, labels) == [
            detector.detect(*one, labels) for one in stream
        ]


def _sanitized(metadata):
    return {re.sub(r"[^a-zA-Z0-9_]", "_", name): value for name, value in metadata.items()}


def test_level_of_a_kit_line_is_its_own():
    line = '{"timestamp":"2026-11-21T10:00:00.000001Z","level":"warning","message":"an error"}'
    assert detect_level(line, {"request_id": "1"}, {"service_name": "shop"}) == "warn"


def test_stream_that_has_the_label_gets_no_level():
    assert detect_level("an error", {}, {"detected_level": "x"}) is None


def test_level_that_the_sender_names_is_kept():
    assert detect_level("an error", {"detected_level": "info"}, {"level": "warn"}) == "info"


@pytest.mark.parametrize(("depth", "level"), [(2, "unknown"), (3, "info"), (0, "info")])
def test_depth_of_json_fields_is_bounded(depth, level):
    detector = LevelDetector(["level"], depth)
    assert detector.detect('{"a":{"b":{"level":"inf"}}}', {}, {}) == level
