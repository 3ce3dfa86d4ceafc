from dataclasses import replace

import pytest

from lokikit.store.api.push import PushedStream
from lokikit.store.api.validation import Validator
from lokikit.store.limits import kit_limits

NOW_NS = 1_795_000_000 * 10**9
DAY_NS = 24 * 3600 * 10**9
LABELS = {"a": "b"}


def check(*entries, labels=None, **limits):
    validator = Validator(replace(kit_limits(), **limits), lambda: NOW_NS)
    return validator.check([PushedStream(labels or LABELS, list(entries))])


def test_lines_get_their_level():
    (entry,) = check((NOW_NS, "an error", {})).entries
    assert entry == (LABELS, NOW_NS, "an error", {}, "error")


def test_levels_are_left_out_where_their_discovery_is_off():
    assert check((NOW_NS, "an error", {}), discover_log_levels=False).entries[0].level is None


def test_a_level_that_the_sender_names_goes_before_the_lines_own():
    (entry,) = check((NOW_NS, "an error", {"detected_level": "info"})).entries
    assert entry.all_metadata() == {"detected_level": "info"}


def test_good_lines_stay_when_others_are_refused():
    checked = check((NOW_NS, "good", {}), (NOW_NS - 8 * DAY_NS, "old", {}))
    assert [entry.line for entry in checked.entries] == ["good"]
    assert checked.refusal_text() == (
        "entry for stream '{a=\"b\"}' has timestamp too old: 2026-11-10T11:06:40Z, "
        "oldest acceptable timestamp is: 2026-11-11T11:06:40Z"
    )


def test_equal_refusals_are_counted():
    text = check(*[(NOW_NS + DAY_NS + index, "x", {}) for index in range(3)]).refusal_text()
    assert text == (
        "3 errors like: entry for stream '{a=\"b\"}' has timestamp too new: 2026-11-19T11:06:40Z"
    )


def test_different_refusals_are_listed():
    text = check((NOW_NS + DAY_NS, "x", {}), (0, "x", {})).refusal_text()
    assert text.count("1 errors like: ") == 2


def test_old_lines_are_taken_where_the_limits_allow_them():
    assert check((0, "x", {}), reject_old_samples=False).entries


@pytest.mark.parametrize("time_ns", [-(1 << 63), (1 << 63) - 1, -62_135_596_800_000_000_000])
def test_any_time_can_be_shown(time_ns):
    assert "has timestamp too" in check((time_ns, "x", {})).refusal_text()


def test_long_lines_are_cut_between_characters():
    line = "é" * 200_000
    assert check((NOW_NS, line, {})).entries[0].line == "é" * 131_072


def test_long_lines_are_refused_where_they_are_not_cut():
    text = check((NOW_NS, "x" * 300_000, {}), max_line_size_truncate=False).refusal_text()
    assert text.startswith("max entry size 262144 bytes exceeded for stream '{a=\"b\"}'")


def test_too_many_labels_are_refused_once_a_stream():
    labels = {f"l{index}": "x" for index in range(11)}
    checked = check((NOW_NS, "x", {}), (NOW_NS, "y", {}), labels=labels)
    assert checked.refusal_text().endswith("has 11 label names; limit 10")


@pytest.mark.parametrize(
    ("labels", "end"),
    [
        ({"n" * 1025: "v"}, "has label name too long: '" + "n" * 1025 + "'"),
        ({"a": "v" * 1025}, "has label value too long: '" + "v" * 1025 + "'"),
    ],
)
def test_long_labels_are_refused(labels, end):
    assert check((NOW_NS, "x", {}), labels=labels).refusal_text().endswith(end)


def test_too_much_metadata_is_refused():
    many = {f"k{index}": "v" for index in range(33)}
    text = check((NOW_NS, "x", many), (NOW_NS, "x", {"k": "v" * 17_000})).refusal_text()
    assert "has too many structured metadata labels: '33', limit: '32'" in text
    assert "has structured metadata too large: '17001' bytes, limit: '16384' bytes" in text


def test_metadata_named_as_a_label_is_stored_apart():
    assert check((NOW_NS, "x", {"a": "1"})).entries[0].metadata == {"a_extracted": "1"}


def test_one_line_beyond_a_limit_leaves_the_others_of_its_stream_as_they_came():
    long, named = ("x" * 300_000, {}), ("y", {"a": "1", "b": "2"})
    checked = check((NOW_NS, *long), (NOW_NS, "z", {"k": "v" * 17_000}), (NOW_NS, *named))
    assert [(one.line, dict(one.metadata)) for one in checked.entries] == [
        ("x" * 262_144, {}),
        ("y", {"a_extracted": "1", "b": "2"}),
    ]
    assert checked.size_bytes == 262_144 + len("ya_extracted1b2")
