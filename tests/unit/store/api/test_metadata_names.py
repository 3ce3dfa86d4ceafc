import pytest

from lokikit.store.api.metadata_names import (
    normalize_all,
    normalize_metadata,
    normalize_name,
)
from lokikit.store.errors import PushError


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("trace_id", "trace_id"),
        ("bad-key", "bad_key"),
        ("a.b.c", "a_b_c"),
        ("a--b", "a_b"),
        ("a__b", "a_b"),
        ("__z", "_z"),
        ("-a", "_a"),
        ("a-", "a_"),
        ("1x", "key_1x"),
        ("9", "key_9"),
        ("aé", "a_"),
        ("__name__", "__name__"),
        ("@l", "_l"),
        ("A", "A"),
    ],
)
def test_names_are_stored_as_loki_stores_them(name, stored):
    assert normalize_name(name) == stored


@pytest.mark.parametrize("name", ["", "-", "_", "__", "é"])
def test_names_of_which_nothing_is_left_are_refused(name):
    with pytest.raises(PushError):
        normalize_name(name)


@pytest.mark.parametrize(
    ("pushed", "value"),
    [
        ({"a-b": "1", "a_b": "2"}, "1"),
        ({"a_b": "2", "a-b": "1"}, "1"),
        ({"a-b": "1", "a.b": "2", "a_b": "3"}, "2"),
        ({"a.b": "2", "a-b": "1"}, "1"),
    ],
)
def test_the_last_changed_name_counts_where_several_become_one(pushed, value):
    assert normalize_metadata(pushed) == {"a_b": value}


def test_an_empty_value_counts_where_several_names_become_one():
    assert normalize_metadata({"a-b": "1", "a.b": ""}) == {}


def test_empty_values_are_left_out():
    assert normalize_metadata({"a": "", "b": "1"}) == {"b": "1"}


def test_replacement_character_of_a_value_is_stored_as_a_space():
    assert normalize_metadata({"request_id": "a\N{REPLACEMENT CHARACTER}b"}) == {
        "request_id": "a b"
    }


@pytest.mark.parametrize("odd", [{"a-b": "1"}, {"a": ""}, {"a": "\N{REPLACEMENT CHARACTER}"}])
def test_all_metadata_of_a_push_is_stored_as_each_alone(odd):
    metadata = [{"a": "1"}, odd, {}, {"b": "2", "a": "3"}]
    assert list(normalize_all(metadata)) == [normalize_metadata(one) for one in metadata]
