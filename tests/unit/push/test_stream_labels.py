import uuid

import pytest
from logging_loki.emitter import LokiEmitterV1

from lokikit.fields import MAX_LABELS
from lokikit.push.stream_labels import MAX_NAMES, MAX_NUMBERS, MAX_VALUES, LabelMaker

_FIXED = {"service_name": "api", "env": ""}


@pytest.fixture
def warned():
    """The warnings so far."""
    return []


@pytest.fixture
def maker(warned):
    """A maker without tags of its own."""
    return _maker({}, warned)


def _maker(tags, warned):
    clean = LokiEmitterV1("http://127.0.0.1:1").format_label
    return LabelMaker(
        _FIXED, tags, {"host": "h"}, clean=clean, warn=lambda _, text: warned.append(text)
    )


def test_without_tags_there_are_the_contracts_labels(maker):
    """An unknown `env` is no label; the platform's metadata is there."""
    assert maker.labels == {"service_name": "api"}
    assert maker.metadata == {"host": "h"}


def test_tags_are_labels_beside_them(warned):
    """Values become strings."""
    assert _maker({"team": "a", "shard": 3}, warned).labels == {
        "service_name": "api",
        "team": "a",
        "shard": "3",
    }
    assert not warned


def test_what_loki_refuses_in_a_label_is_replaced(warned):
    """One U+FFFD would have the whole push refused."""
    assert _maker({"team": "a\ufffd"}, warned).labels["team"] == "a?"


def test_a_tag_may_name_service_and_env(warned):
    """They are labels of the contract."""
    labels = _maker({"env": "prod", "service_name": "shop"}, warned).labels
    assert labels == {"service_name": "shop", "env": "prod"}


def test_a_records_tags_come_on_top(warned):
    """They stay with that record."""
    maker = _maker({"team": "a"}, warned)
    assert maker.of_record({"team": "b", "x": 1})[0] == {
        "service_name": "api",
        "team": "b",
        "x": "1",
    }
    assert maker.labels["team"] == "a"


def test_equal_tags_give_the_same_objects(maker):
    """Lines of a stream are grouped by identity."""
    first, second = maker.of_record({"x": "1"}), maker.of_record({"x": "1"})
    assert first[0] is second[0]
    assert first[1] is second[1]


@pytest.mark.parametrize(
    ("tag", "name"),
    [("a b", "a_b"), ("a.b-c", "a_b_c"), ("it's", "its"), ("1st", "_1st"), ("größe", "gre")],
)
def test_names_are_made_valid(maker, tag, name):
    """The rules are those of python-logging-loki; Loki takes no label with a digit in front."""
    assert maker.of_record({tag: "v"})[0][name] == "v"


def test_a_name_without_a_valid_character_is_left_out(maker):
    """The line itself still has it."""
    assert maker.of_record({"!": "v", "ключ": "v"}) == (maker.labels, maker.metadata)


def test_more_labels_than_the_budget_become_metadata(maker, warned):
    """The first ones stay labels, each later one is said once."""
    tags = {f"t{number}": "v" for number in range(8)}
    for _ in range(2):
        labels, metadata = maker.of_record(tags)
    assert len(labels) == MAX_LABELS
    assert len(labels) + len(metadata) == 1 + 1 + 8
    assert len(warned) == len(metadata) - 1


def test_a_uuid_is_metadata_at_once(maker, warned):
    """It would be a stream a value."""
    value = str(uuid.uuid4())
    labels, metadata = maker.of_record({"job": value})
    assert "job" not in labels
    assert metadata["job"] == value
    assert "looks like one of endlessly many" in warned[0]


@pytest.mark.parametrize(
    ("values", "limit"), [([str(n) for n in range(99)], MAX_NUMBERS), ("abc", None)]
)
def test_a_series_of_numbers_becomes_metadata(maker, warned, values, limit):
    """After a few; a small choice of words stays a label, however often it comes."""
    streams = set()
    for value in list(values) * 3:
        labels, _ = maker.of_record({"user": value})
        streams.add(labels.get("user"))
    assert len(streams - {None}) == (limit or 3)
    assert len(warned) == bool(limit)


def test_a_label_with_too_many_values_becomes_metadata(maker, warned):
    """Whatever they look like."""
    for number in range(200):
        labels, metadata = maker.of_record({"path": f"/p{number}"})
    assert metadata["path"] == "/p199"
    assert "path" not in labels
    assert str(MAX_VALUES + 1) in warned[0]


def test_a_platform_name_is_metadata(maker, warned):
    """The contract has it there."""
    labels, metadata = maker.of_record({"pod": "api-1"})
    assert "pod" not in labels
    assert metadata["pod"] == "api-1"
    assert not warned


def test_a_long_value_is_cut(maker):
    """Loki refuses more than 1,024 bytes, and characters stay whole."""
    labels, _ = maker.of_record({"x": "ä" * 1000})
    assert labels["x"] == "ä" * 512


@pytest.mark.parametrize("size", [1, 1000])
def test_more_metadata_than_loki_takes_is_left_to_the_line(maker, warned, size):
    """There is a single warning for any number of records."""
    tags = {f"t{number}": "v" * size for number in range(38)}
    for _ in range(3):
        _, metadata = maker.of_record(tags)
    assert len(metadata) <= 28
    assert sum(len(name) + len(value) for name, value in metadata.items()) < 16 * 1024
    assert sum("in its line only" in text for text in warned) == 1


def test_values_of_the_environment_become_valid():
    """Undecodable bytes come as lone surrogates, and Loki takes 1,024 bytes."""
    fixed = {"service_name": "caf\udce9", "env": "x" * 3000}
    clean = LokiEmitterV1("http://127.0.0.1:1").format_label
    maker = LabelMaker(fixed, {}, {"host": "h\udcff"}, clean=clean, warn=lambda *_: None)
    assert maker.labels == {"service_name": "caf?", "env": "x" * 1024}
    assert maker.metadata["host"].encode()


def test_a_long_name_is_cut(maker):
    """Loki refuses a label whose name is longer than 1,024 bytes."""
    labels, _ = maker.of_record({"x" * 3000: "v", "1" * 3000: "v"})
    assert max(map(len, labels)) <= 1024


def test_names_without_end_are_not_remembered(maker, warned):
    for number in range(20_000):
        _, metadata = maker.of_record({f"t{number}": "v"})
    assert metadata["t19999"] == "v"
    assert len(maker._values) <= MAX_NAMES
    assert len(maker._demoted) <= MAX_NAMES
    assert len(warned) <= MAX_NAMES + 1


def test_tags_for_which_there_is_no_room_are_of_one_kind_of_warning():
    """It is said once a minute, however many they are."""
    kinds = []
    clean = LokiEmitterV1("http://127.0.0.1:1").format_label
    tags = {f"tag{number}": "a" for number in range(50)}
    LabelMaker(_FIXED, tags, {}, clean=clean, warn=lambda kind, _: kinds.append(kind))
    assert {kind for kind in kinds if kind != "metadata"} == {"labels"}
