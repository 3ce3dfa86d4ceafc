import json

import pytest

from lokikit.store.api.push import MAX_LINES, read_push, unpack_push
from lokikit.store.errors import PushError


def read(content, content_type="application/json", encoding=""):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_push(unpack_push(body, content_type, encoding, 1 << 20), content_type)


def push(*values, labels=None):
    return {"streams": [{"stream": labels or {"a": "b"}, "values": list(values)}]}


def entries(*values):
    return read(push(*values))[0].entries


def test_entries_are_read_with_metadata():
    assert entries(["1", "x"], ["2", "y", {"k": "v"}]) == [(1, "x", {}), (2, "y", {"k": "v"})]


def test_names_of_metadata_are_normalized():
    assert entries(["1", "x", {"bad-key": "v"}]) == [(1, "x", {"bad_key": "v"})]


def test_entry_without_a_line_is_an_empty_line():
    assert entries(["1"]) == [(1, "", {})]


def test_further_elements_do_not_count():
    assert entries(["1", "x", {}, 5], None) == [(1, "x", {})]


def test_values_of_labels_that_are_no_strings_become_their_json():
    assert read(push(["1", "x"], labels={"a": 1, "b": None}))[0].labels == {"a": "1", "b": "null"}


def test_labels_with_empty_values_do_not_count():
    assert read(push(["1", "x"], labels={"a": "", "b": "c"}))[0].labels == {"b": "c"}


def test_bytes_behind_the_json_do_not_count():
    assert read(json.dumps(push(["1", "x"])).encode() + b"x")[0].entries == [(1, "x", {})]


def test_bytes_that_are_no_text_are_replaced():
    body = json.dumps(push(["1", "x"])).encode().replace(b'"x"', b'"\xf0\x9f"')
    assert read(body)[0].entries == [(1, "\ufffd\ufffd", {})]


@pytest.mark.parametrize(
    "timestamp",
    [
        1,
        1.5,
        None,
        "",
        "1.5",
        "abc",
        "+1",
        " 1",
        "01",
        "1_0",
        "\u0661",
        "9223372036854775808",
        "-",
        {},
    ],
)
def test_timestamps_that_are_no_integers_in_text_are_refused(timestamp):
    with pytest.raises(PushError, match="is no string of nanoseconds"):
        entries([timestamp, "x"])


@pytest.mark.parametrize(
    "value",
    [
        ["1", 5],
        ["1", None],
        ["1", {}],
        "x",
        {"ts": "1"},
        5,
        ["1", "x", None],
        ["1", "x", []],
        ["1", "x", {"k": 1}],
        ["1", "x", {"k": None}],
        ["1", "x", {"k": {}}],
        ["1", "x", {"": "v"}],
        ["1", "x", {"-": "v"}],
    ],
)
def test_wrong_entries_are_refused(value):
    with pytest.raises(PushError) as refusal:
        entries(value)
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"x", 400),
        (b"[]", 400),
        (b"{}", 422),
        (b"null", 422),
        ({"streams": []}, 422),
        ({"streams": None}, 422),
        ({"streams": {}}, 400),
        ({"streams": [1]}, 400),
        (push(["1", "x"], labels={"a": ""}), 400),
        ({"streams": [{"values": [["1", "x"]]}]}, 400),
        ({"streams": [{"stream": [], "values": []}]}, 400),
        ({"streams": [{"stream": None, "values": []}]}, 400),
        ({"streams": [{"stream": {"a": "b"}, "values": {}}]}, 400),
        (b'{"streams":' + b"[" * 100_000, 400),
        (b'{"streams":NaN}', 400),
        (b'{"streams":[{"stream":{"a":"\\ud800"}}]}', 400),
        (b"\xef\xbb\xbf{}", 400),
    ],
)
def test_what_is_no_push_is_refused(content, status):
    with pytest.raises(PushError) as refusal:
        read(content)
    assert refusal.value.status == status


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({"a-b": "x"}, "1:3: parse error: unexpected character inside braces: '-'"),
        ({"1a": "x"}, "1:2: parse error: unexpected character inside braces: '1'"),
        ({"é": "x"}, "1:2: parse error: unexpected character inside braces: 'é'"),
        ({"": "x"}, '1:2: parse error: unexpected "=" in label set, expected identifier or "}"'),
        ({"a": "x\ufffd"}, "1:1: parse error: invalid UTF-8 rune"),
        ({"A": "x", "b.c": "y"}, "1:10: parse error: unexpected character inside braces: '.'"),
    ],
)
def test_wrong_labels_are_refused_in_lokis_words(labels, problem):
    with pytest.raises(PushError) as refusal:
        read(push(["1", "x"], labels=labels))
    assert str(refusal.value) == f"couldn't parse labels: {problem}"


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("", "mime: no media type"),
        (";;", "mime: no media type"),
        ("application/json; x", "mime: invalid media parameter"),
        ("text/plain", "snappy: corrupt input"),
    ],
)
def test_wrong_types_of_content_are_refused(content_type, text):
    with pytest.raises(PushError, match=text):
        read(push(["1", "x"]), content_type)


def test_charset_and_case_of_the_type_do_not_matter():
    assert read(push(["1", "x"]), "Application/JSON; charset=utf-8")


def test_too_many_lines_are_refused_before_they_cost_memory():
    many = b",".join([b'["1",""]'] * (MAX_LINES + 1))
    body = b'{"streams":[{"stream":{"a":"b"},"values":[%s]}]}' % many
    with pytest.raises(PushError) as refusal:
        read_push(body, "application/json")
    assert refusal.value.status == 413


def test_too_many_arrays_are_refused_before_they_are_read():
    with pytest.raises(PushError) as refusal:
        read_push(b"[" * 2_000_001, "application/json")
    assert refusal.value.status == 413
