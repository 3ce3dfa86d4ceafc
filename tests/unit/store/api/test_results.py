from lokikit.store.api.results import matrix_data, streams_data, vector_data
from lokikit.store.logql.labels_builder import Processed
from lokikit.store.logql.series import Series, Steps

A, B = {"a": "1"}, {"a": "2"}


def entry(time_ns, stream, **parts):
    return Processed(time_ns, "x", stream, parts.get("metadata", {}), parts.get("parsed", {}))


def test_lines_are_grouped_by_all_labels_and_ordered_by_their_text():
    entries = [
        entry(3, B, metadata={"m": "1"}),
        entry(2, A),
        entry(1, B, metadata={"m": "1"}, parsed={"p": "2"}),
        entry(0, A),
    ]
    assert streams_data(entries, ())["result"] == [
        {"stream": {"a": "1"}, "values": [("2", "x"), ("0", "x")]},
        {"stream": {"a": "2", "m": "1", "p": "2"}, "values": [("1", "x")]},
        {"stream": {"a": "2", "m": "1"}, "values": [("3", "x")]},
    ]


def test_categories_stand_apart_with_their_flag():
    data = streams_data([entry(1, A, metadata={"z": "1", "m": "1"})], ("categorize-labels", "foo"))
    assert data["encodingFlags"] == ["categorize-labels", "foo"]
    ((time_ns, line, categories),) = data["result"][0]["values"]
    assert (time_ns, line) == ("1", "x")
    assert list(categories["structuredMetadata"]) == ["m", "z"]
    assert "parsed" not in categories


def test_equal_streams_of_different_objects_are_one():
    entries = [entry(2, {"a": "1"}), entry(1, {"a": "1"})]
    assert len(streams_data(entries, ("categorize-labels",))["result"]) == 1


def test_vectors_leave_out_series_without_a_sample():
    series = [Series({"b": "1", "a": "2"}, [1.5]), Series({}, [None])]
    assert vector_data(series, 1_500_000_000)["result"] == [
        {"metric": {"a": "2", "b": "1"}, "value": [1.5, "1.5"]}
    ]


def test_matrices_leave_out_steps_without_a_sample():
    series = [
        Series({"a": "2"}, [1.0, None]),
        Series({"a": "1"}, [None, 2.0]),
        Series({}, [None] * 2),
    ]
    assert matrix_data(series, Steps(0, 10**9, 10**9))["result"] == [
        {"metric": {"a": "1"}, "values": [(1, "2")]},
        {"metric": {"a": "2"}, "values": [(0, "1")]},
    ]
